import { expect } from 'chai'
import hre from 'hardhat'
import { moneyOf } from '../../deals.ts'
import { connection, ethers, loadFixture } from '../../fixtures.ts'
import { type Busy, busyMarket, calls, dataOf } from './busyMarket.ts'

/** The one function that looks at the transaction's own sender: the token tells of an approval, and nobody else may. */
const TOKEN_ONLY = 'receiveApproval'

/** What the Hub has for the sake of the reference's interface, and always refuses. */
const REFUSED = ['changeRegistries', 'configure', 'importScore', 'renounceOwnership']

/** What a call does: what it answers or why it fails, what it logs, and what everybody has then. */
type Outcome = { answer?: string; reason?: string; logs: unknown[]; money: unknown[]; told: unknown }

type Account = Busy['anyone']

/** What the node says of a call that fails. */
function reasonIn(error: unknown): string {
  for (let each = error; typeof each === 'object' && each !== null; each = 'cause' in each ? each.cause : undefined) {
    if ('data' in each && typeof each.data === 'string') return each.data
    if ('data' in each && typeof each.data === 'object' && each.data !== null && 'data' in each.data) {
      return String(each.data.data)
    }
  }
  throw error
}

/** Makes the call on a market of its own, at the same second each time. */
async function outcomeOf(name: string, as: 'rightful' | 'anyone', wrapped: boolean): Promise<Outcome> {
  const market = await loadFixture(busyMarket)
  const { hub, spender } = market
  const role = calls[name]?.by
  const account: Account = as === 'anyone' || role === undefined ? market.anyone : market[role]
  const plain = await dataOf(name, market)
  const data = wrapped ? hub.interface.encodeFunctionData('multicall', [[plain]]) : plain
  const transaction = { from: account.address, to: hub.target.toString(), data }
  try {
    const answer = await connection.provider.request({ method: 'eth_call', params: [transaction, 'latest'] })
    const receipt = await (await account.sendTransaction(transaction)).wait()
    return {
      answer: wrapped ? hub.interface.decodeFunctionResult('multicall', String(answer))[0][0] : String(answer),
      logs: (receipt?.logs ?? []).map(({ address, topics, data: logged }) => [address, [...topics], logged]),
      money: [...(await moneyOf(market))],
      told: [...(await spender.last())],
    }
  } catch (error) {
    const reason = reasonIn(error)
    const inner = wrapped ? hub.interface.decodeErrorResult('CallFailed', reason)[1] : reason
    return { reason: inner, logs: [], money: [...(await moneyOf(market))], told: [...(await spender.last())] }
  }
}

describe('in a multicall', () => {
  it('each function that writes is tried: none of the interface is forgotten', async () => {
    const { abi } = await hre.artifacts.readArtifact('IHub')
    const writing = abi
      .filter((entry) => entry.type === 'function' && !['view', 'pure'].includes(entry.stateMutability))
      .map((entry) => ('name' in entry ? entry.name : undefined))
    expect(writing).to.have.members([...Object.keys(calls), TOKEN_ONLY])
  })

  for (const [name, { by }] of Object.entries(calls)) {
    it(`${name} does for ${by ?? 'anyone'} what it does when called directly`, async () => {
      const direct = await outcomeOf(name, 'rightful', false)
      expect(direct.reason === undefined).to.equal(!REFUSED.includes(name))
      expect(await outcomeOf(name, 'rightful', true)).to.deep.equal(direct)
    })

    if (by === undefined) continue

    it(`${name} does for anyone else what it does when called directly, which is something else`, async () => {
      const direct = await outcomeOf(name, 'anyone', false)
      expect(await outcomeOf(name, 'anyone', true)).to.deep.equal(direct)
      expect(await outcomeOf(name, 'rightful', true)).not.to.deep.equal(direct)
    })
  }

  it(`${TOKEN_ONLY} is refused, for whoever calls a multicall is not the token`, async () => {
    const { hub, token, requester, anyone } = await loadFixture(busyMarket)
    const { target } = token
    await connection.networkHelpers.impersonateAccount(target.toString())
    await connection.networkHelpers.setBalance(target.toString(), ethers.parseEther('1'))
    const tokenItself = await ethers.getSigner(target.toString())
    const call = hub.interface.encodeFunctionData(TOKEN_ONLY, [requester.address, 1n, target.toString(), '0x'])
    const reason = hub.interface.encodeErrorResult('OnlyToken', [hub.target, target])
    for (const sender of [anyone, tokenItself]) {
      await expect(hub.connect(sender).multicall([call]))
        .to.be.revertedWithCustomError(hub, 'CallFailed')
        .withArgs(0n, reason)
    }
  })
})
