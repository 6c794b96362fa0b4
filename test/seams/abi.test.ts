import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { type AbiEntry, abiOf, lineOf } from './artifacts.ts'

/** Our list; `UPDATE_ABI=1` writes it anew. */
const COMMITTED = new URL('../abi.txt', import.meta.url)

/** The reference protocol's list, and what of it is not built yet. */
const REFERENCE = new URL('../reference.abi.txt', import.meta.url)
const NOT_BUILT_YET = [
  'contribute',
  'finalize',
  'reopen',
  'reveal',
  'AccurateContribution',
  'FaultyContribution',
  'TaskReopen',
]

async function linesIn(file: URL): Promise<string[]> {
  return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
}

function sorted(entries: AbiEntry[]): string[] {
  return [...new Set(entries.filter(({ type }) => type !== 'constructor').map(lineOf))].sort()
}

/** Everything but how much of the state a function may touch: an implementation may touch less than it announces. */
function withoutMutability(line: string): string {
  return line.replace(/\) (pure|view|nonpayable|payable) returns\(/, ') returns(')
}

function nameIn(line: string): string {
  return /^\w+ (\w+)\(/.exec(line)?.[1] ?? line
}

describe('abi', () => {
  it('of IHub is the committed list', async () => {
    const lines = sorted(await abiOf('IHub'))
    if (process.env.UPDATE_ABI === '1') await writeFile(COMMITTED, `${lines.join('\n')}\n`)
    expect(lines).to.deep.equal(await linesIn(COMMITTED))
  })

  it('of Hub and HubViews together is that of IHub', async () => {
    const announced = sorted(await abiOf('IHub')).map(withoutMutability)
    const built = sorted([...(await abiOf('Hub')), ...(await abiOf('HubViews'))]).map(withoutMutability)
    expect(built).to.have.members(announced)
  })

  it('of HubViews repeats no function of Hub, which would never be reached', async () => {
    const functions = async (contract: string) =>
      (await abiOf(contract)).filter(({ type }) => type === 'function').map(lineOf)
    const inHub = new Set(await functions('Hub'))
    expect((await functions('HubViews')).filter((line) => inHub.has(line))).to.deep.equal([])
  })

  it('of HubViews writes nothing', async () => {
    const writing = (await abiOf('HubViews'))
      .filter(({ type, stateMutability }) => type === 'function' && !['view', 'pure'].includes(stateMutability ?? ''))
      .map(lineOf)
    expect(writing).to.deep.equal([])
  })

  it('contains every entry of the reference but those that are named as not built yet', async () => {
    const committed = new Set(await linesIn(COMMITTED))
    const missing = (await linesIn(REFERENCE)).filter((line) => !committed.has(line)).map(nameIn)
    for (const name of missing) console.log(`      not built yet: ${name}`)
    expect(missing).to.have.members(NOT_BUILT_YET)
  })
})
