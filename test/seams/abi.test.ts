import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { type AbiEntry, abiOf, lineOf } from './artifacts.ts'

/** Our list; `UPDATE_ABI=1` writes it anew. */
const COMMITTED = new URL('../abi.txt', import.meta.url)

/** The reference protocol's list. */
const REFERENCE = new URL('../reference.abi.txt', import.meta.url)

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

async function functionsOf(contract: string): Promise<string[]> {
  return (await abiOf(contract)).filter(({ type }) => type === 'function').map(lineOf)
}

describe('abi', () => {
  it('of IHub is the committed list', async () => {
    const lines = sorted(await abiOf('IHub'))
    if (process.env.UPDATE_ABI === '1') await writeFile(COMMITTED, `${lines.join('\n')}\n`)
    expect(lines).to.deep.equal(await linesIn(COMMITTED))
  })

  for (const [hub, announcement] of [
    ['Hub', 'IHub'],
    ['HubNative', 'IHubNative'],
  ] as const) {
    it(`of ${hub}, HubOffice and HubViews together is that of ${announcement}`, async () => {
      const announced = sorted(await abiOf(announcement)).map(withoutMutability)
      const built = sorted((await Promise.all([hub, 'HubOffice', 'HubViews'].map(abiOf))).flat()).map(withoutMutability)
      expect(built).to.have.members(announced)
    })

    it(`of ${hub}, HubOffice and HubViews share no function: the later would never be reached`, async () => {
      const lists = await Promise.all([hub, 'HubOffice', 'HubViews'].map(functionsOf))
      const all = lists.flat()
      expect(all.filter((line, index) => all.indexOf(line) !== index)).to.deep.equal([])
    })
  }

  it('of HubViews writes nothing', async () => {
    const writing = (await abiOf('HubViews'))
      .filter(({ type, stateMutability }) => type === 'function' && !['view', 'pure'].includes(stateMutability ?? ''))
      .map(lineOf)
    expect(writing).to.deep.equal([])
  })

  it('contains every entry of the reference', async () => {
    const committed = new Set(await linesIn(COMMITTED))
    expect((await linesIn(REFERENCE)).filter((line) => !committed.has(line))).to.deep.equal([])
  })

  it('of IHubNative differs from that of IHub in deposits only', async () => {
    const [token, native] = [sorted(await abiOf('IHub')), sorted(await abiOf('IHubNative'))]
    expect(native.filter((line) => !token.includes(line))).to.deep.equal([
      'error NativeTransferFailed(address,uint256)',
      'error ValueNotTaken(bytes4,uint256)',
      'error ValueTooSmall(uint256,uint256)',
      'function deposit() payable returns(bool)',
      'function depositFor(address) payable returns(bool)',
      'function depositForArray(uint256[],address[]) payable returns(bool)',
    ])
    expect(token.filter((line) => !native.includes(line))).to.deep.equal([
      'error CallerIsNotTheRequester()',
      'error NativeNotAccepted(uint256)',
      'error OnlyToken(address,address)',
      'error OperationFailed()',
      'error TokenTransferFailed(address,address,uint256)',
      'error UnsupportedOperation(bytes4)',
      'function deposit(uint256) nonpayable returns(bool)',
      'function depositFor(uint256,address) nonpayable returns(bool)',
      'function depositForArray(uint256[],address[]) nonpayable returns(bool)',
      'function depositWithPermit(uint256,uint256,uint8,bytes32,bytes32) nonpayable returns(bool)',
      'function receiveApproval(address,uint256,address,bytes) nonpayable returns(bool)',
    ])
  })
})
