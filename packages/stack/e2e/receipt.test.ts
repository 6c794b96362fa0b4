import { parsePolicy } from '@sealdeal/attestation'
import { type Address, Asset, Task } from '@sealdeal/protocol'
import {
  type Client,
  getReceipt,
  grantAccess,
  protectData,
  type Receipt,
  type RunReturnType,
  run,
  transferOwnership,
  verifyReceipt,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import { verifyMessage, Wallet } from 'ethers'
import type { Stack } from '../stack.ts'
import { finished, limits, newcomer, offerApp, prices, RLC, refusal, resultKey } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

describe('C79 verify a run’s proof offline', function () {
  this.timeout(90_000)
  let stack: Stack
  let user: Client
  let owner: Client
  let developer: Client
  let app: Address
  let dataset: Address
  let made: RunReturnType
  let receipt: Receipt

  before(async () => {
    stack = await sharedStack()
    user = await newcomer(stack, { staked: 10n * RLC })
    owner = await newcomer(stack)
    developer = await newcomer(stack)
    app = (await offerApp(developer)).app
    dataset = (await protectData(owner, { name: 'C79', data: { a: 1 } })).address
    const grant = { authorizedApp: app, authorizedUser: user.account, pricePerAccess: prices.data }
    await grantAccess(owner, { protectedData: dataset, ...grant })
    made = await run(user, { app, dataset, ...limits, resultKey: await resultKey() })
    await finished(user, made)
    receipt = await getReceipt(user, { taskId: made.taskId })
  })

  it('says of the run what the chain says', async () => {
    const { blocks, enclave, payouts, ...verdict } = await verifyReceipt({ receipt: JSON.stringify(receipt) })
    const { hub } = user.contracts
    const task = await hub.viewTask(made.taskId)
    expect(verdict).to.deep.include({
      chainId: 31337n,
      hub: await hub.getAddress(),
      taskId: made.taskId,
      dealId: made.dealId,
      requester: user.account,
      beneficiary: user.account,
      resultDigest: task.resultDigest,
      sealedBy: user.account,
    })
    expect(verdict.signers).to.deep.include({ app: developer.account, dataset: owner.account, request: user.account })
    expect(verdict.app.address).to.equal(app)
    expect(verdict.dataset).to.deep.include({ address: dataset, name: 'C79' })
    for (const { number, hash } of blocks) {
      expect((await stack.provider.getBlock(Number(number)))?.hash).to.equal(hash)
    }
    const rewards = (await hub.queryFilter(hub.filters.Reward())).filter(({ args }) => args.ref === made.taskId)
    expect(payouts.filter(({ movement }) => movement === 'earned')).to.deep.equal(
      rewards.map(({ args }) => ({ movement: 'earned', account: args.owner, amount: String(args.amount) })),
    )
    expect(payouts[0]).to.deep.equal({
      movement: 'paid',
      account: user.account,
      amount: String(prices.app + prices.data + prices.pool),
    })
    expect(enclave?.authorizedBy).to.equal(await hub.teebroker())
    expect(enclave?.verdict).to.include({ simulated: true })
  })

  it('takes less than 50 ms, where a signature takes 1.66 ms to recover', async () => {
    const text = JSON.stringify(receipt)
    const signed = await Wallet.createRandom().signMessage('')
    // Machines differ, and other tests share this one: both are timed side by side, round for round.
    const time = async (work: () => unknown) => {
      const began = performance.now()
      await work()
      return performance.now() - began
    }
    const tenRecoveries = () => {
      for (let number = 0; number < 10; number++) verifyMessage('', signed)
    }
    const recoveries: number[] = []
    for (let round = 0; round < 21; round++) {
      const taken = await time(() => verifyReceipt({ receipt: text }))
      recoveries.push((10 * taken) / (await time(tenRecoveries)))
    }
    const [median = Number.NaN] = recoveries.sort((one, other) => one - other).slice(10)
    console.log(`      as long as ${median.toFixed(1)} recoveries: ${(1.66 * median).toFixed(0)} ms`)
    expect(1.66 * median).to.be.below(50)
  })

  it('refuses it with any one value changed, and names the part', async () => {
    const leaves = leavesOf(receipt)
    expect(leaves.length).to.be.above(120)
    for (const path of leaves) {
      const changed = structuredClone(receipt)
      change(changed, path)
      const error = await refusal(verifyReceipt({ receipt: changed }))
      expect(error.name, path.join('.')).to.equal('ReceiptRefusedError')
      const named = String(error.part).split('.')[0] ?? ''
      // What two parts say is refused by the first that is looked at.
      const parts = [
        path[0],
        ...(alsoSaidBy[String(path[0])] ?? []),
        ...(path[0] === 'seal' ? Object.keys(receipt) : []),
      ]
      expect(parts, `${path.join('.')}: ${error.message}`).to.include(named)
    }
  })

  it('refuses what was left out, added, or is of another run', async () => {
    const { evidence: _, ...without } = receipt
    expect((await refusal(verifyReceipt({ receipt: without }))).part).to.equal('evidence')
    expect((await refusal(verifyReceipt({ receipt: { ...receipt, note: 'hi' } }))).message).to.contain('note')
    const again = { ...receipt, blocks: receipt.blocks.slice(0, 1) }
    expect((await refusal(verifyReceipt({ receipt: again }))).part).to.equal('task.taskId')
    expect((await refusal(verifyReceipt({ receipt, chainId: 1n }))).part).to.equal('chainId')
    expect((await refusal(verifyReceipt({ receipt: '{' }))).part).to.equal('file')
  })

  it('refuses under a policy that does not believe in simulators', async () => {
    const evidence = receipt.evidence as NonNullable<Receipt['evidence']>
    const { measurements, ...others } = parsePolicy(evidence.policy)
    const strict = { ...others, measurements, roots: [{ name: 'Intel', sha256: `0x${'44'.repeat(32)}` }] }
    const error = await refusal(verifyReceipt({ receipt, policy: strict }))
    expect([error.part, error.message]).to.satisfy(
      ([part, message]: [string, string]) => part === 'evidence' && /root/i.test(message),
    )
  })

  it('is given to the owner of the data too, who may have handed it on', async () => {
    const next = Wallet.createRandom().address as Address
    await transferOwnership(owner, { protectedData: dataset, newOwner: next })
    const theirs = await getReceipt(owner, { taskId: made.taskId })
    expect((await verifyReceipt({ receipt: theirs })).sealedBy).to.equal(owner.account)
    expect(theirs.assets).to.deep.equal(receipt.assets)
    expect(Asset.datasetAddress(receipt.assets.dataset as never, receipt.assets.dataset as never)).to.equal(dataset)
  })

  it('is refused while there is no result', async () => {
    const error = await refusal(getReceipt(user, { taskId: Task.id(made.dealId, 9n) }))
    expect([error.name, error.message]).to.deep.equal(['ReceiptNotAvailableError', error.message])
    expect(error.message).to.contain('UNSET')
  })
})

type Path = (string | number)[]

/** What the events of the chain and a part of the receipt say alike. */
const alsoSaidBy: Partial<Record<string, string[]>> = {
  chainId: ['orders'],
  hub: ['task', 'orders'],
  blocks: ['task', 'orders', 'result', 'payouts'],
  task: ['orders', 'result', 'payouts'],
  orders: ['assets'],
  evidence: ['enclave'],
  enclave: ['evidence', 'result'],
  result: ['enclave'],
}

function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, member]) =>
    leavesOf(member, [...path, Array.isArray(value) ? Number(name) : name]),
  )
}

/** One character more, less or another: of text in its middle, so that its form stays. */
function change(root: object, path: Path): void {
  const parent = path.slice(0, -1).reduce((node, name) => (node as never)[name], root) as Record<
    string | number,
    unknown
  >
  const last = path.at(-1) as string | number
  const value = parent[last]
  if (typeof value === 'number') parent[last] = value + 1
  else if (typeof value === 'boolean') parent[last] = !value
  else parent[last] = changedText(String(value))
}

function changedText(text: string): string {
  if (text === '' || text === '0x') return `${text}00`
  const at = Math.max(text.startsWith('0x') ? 2 : 0, Math.floor(text.length / 2))
  const digit = text.charAt(at)
  return `${text.slice(0, at)}${digit === '1' ? '2' : '1'}${text.slice(at + 1)}`
}
