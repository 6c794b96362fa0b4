import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { id, Wallet } from 'ethers'
import { parseParameters, readParameters } from '../../deploy/parameters.ts'
import { root } from '../../scripts/run.ts'

const deployer = Wallet.createRandom().address
const someone = Wallet.createRandom().address
const source = 'The file'

function problemsOf(fields: unknown): string {
  try {
    parseParameters(fields, { source, deployer })
  } catch (error) {
    return String(error)
  }
  return expect.fail('These parameters were expected to be refused.')
}

describe('parameters of a network', () => {
  it('are, by default, a test token and a timelock of two days that the deployer proposes to', async () => {
    expect(await readParameters(undefined, deployer)).to.deep.equal({
      escrow: 'token',
      timelock: { delay: 172_800, proposers: [deployer], executors: [deployer] },
      salt: id('sealdeal'),
    })
  })

  it('let proposers execute when nobody else is named', () => {
    const { timelock } = parseParameters({ timelock: { proposers: [someone] } }, { source, deployer })
    expect(timelock.executors).to.deep.equal([someone])
  })

  it('take addresses in any case, but not with a wrong checksum', () => {
    // The first example of EIP-55, and one letter of it in the other case.
    const token = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
    expect(parseParameters({ token: token.toLowerCase() }, { source, deployer }).token).to.equal(token)
    const flipped = token.replace('aAeb', 'AAeb')
    expect(problemsOf({ token: flipped })).to.include('"token" must be')
  })

  it('are refused with every reason at once', () => {
    const problems = problemsOf({
      tokn: someone,
      escrow: 'gold',
      teeBroker: 5,
      salt: '',
      timelock: { delay: -1, proposers: [], executors: ['0x1'], admin: someone },
    })
    expect(problems).to.include(source)
    for (const name of [
      'tokn',
      'escrow',
      'teeBroker',
      'salt',
      'timelock.delay',
      'timelock.proposers',
      'timelock.executors',
      'timelock.admin',
    ]) {
      expect(problems).to.include(`"${name}"`)
    }
  })

  it('are refused when they contradict one another', () => {
    expect(problemsOf({ escrow: 'native', token: someone })).to.include('"token" is for the escrow of a token')
    expect(problemsOf({ token: someone, tokenHolder: someone })).to.include('none is made')
    expect(problemsOf([])).to.include('must be an object')
  })

  it('name the file that cannot be read', async () => {
    const refusal = await readParameters('/nowhere.json', deployer).catch(String)
    expect(refusal).to.include('/nowhere.json')
  })

  it('are as documented', async () => {
    const page = await readFile(join(root, 'docs', 'deploy.md'), 'utf8')
    const [, example = ''] = /```json\n(.*?)```/s.exec(page) ?? []
    const parameters = parseParameters(JSON.parse(example), { source, deployer })
    expect(parameters).to.have.all.keys('escrow', 'token', 'teeBroker', 'timelock', 'salt')
  })
})
