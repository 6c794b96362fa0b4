import { expect } from 'chai'
import {
  connection,
  type DatasetOrder,
  SIGN,
  settleArguments,
  settlementOf,
  signOperation,
  taskIdOf,
  time,
} from '../../fixtures.ts'
import { attestedFailure, failureArguments } from '../failures/failure.ts'
import { bulkDealOf, grantOf } from './grants.ts'

/** What a chain lets one transaction use (EIP-7825); the chain of these tests does, too. */
const TRANSACTION_GAS = 16_777_216

/** How many a blob holds (EIP-170), at 52 bytes each. */
const MOST = 472

type Deal = Awaited<ReturnType<typeof bulkDealOf>>
type Sent = { wait(): Promise<{ gasUsed: bigint } | null> }

async function gasOf(sending: Promise<Sent>, what: string): Promise<number> {
  const gasUsed = Number((await (await sending).wait())?.gasUsed)
  console.log(`      ${what}: ${gasUsed} gas`)
  expect(gasUsed).to.be.below(TRANSACTION_GAS)
  return gasUsed
}

/** One order for each dataset, each of another owner. */
async function grantsOf(deal: Deal): Promise<DatasetOrder[]> {
  return Promise.all(deal.owned.map((each) => grantOf(deal, each, { datasetprice: 1_000n })))
}

/** The same, signed by transactions. */
async function presignedGrantsOf(deal: Deal): Promise<DatasetOrder[]> {
  const { hub, domain, owned } = deal
  const orders = await grantsOf(deal)
  for (const [i, order] of orders.entries()) {
    const signer = owned[i]?.owner
    if (signer === undefined) throw new Error('Every order is for a dataset.')
    await hub.manageDatasetOrder(await signOperation('dataset', { order, operation: SIGN }, { signer, domain }))
  }
  return orders.map((order) => ({ ...order, sign: '0x' }))
}

/** Sends, and takes back. */
async function undone<T>(action: () => Promise<T>): Promise<T> {
  const id = await connection.provider.request({ method: 'evm_snapshot' })
  const result = await action()
  await connection.provider.request({ method: 'evm_revert', params: [id] })
  return result
}

describe('many datasets', () => {
  for (const count of [1, 3, 100, 320]) {
    it(`are attached and paid for, each in one transaction: ${count} of them`, async () => {
      const deal = await bulkDealOf({}, count)
      const { hub, requester, dealId, owners } = deal
      const orders = await grantsOf(deal)
      await gasOf(
        hub.connect(requester).attachDatasets(dealId, 0n, orders, 1_000n * BigInt(count)),
        `attaching ${count}`,
      )
      expect((await hub.viewDatasets(taskIdOf(dealId, 0n))).map(({ owner }) => owner)).to.deep.equal(owners)
      await gasOf(hub.settle(...settleArguments(await settlementOf(deal, deal))), `settling with ${count}`)
      for (const owner of owners) expect(await hub.balanceOf(owner)).to.equal(1_000n)
    }).timeout(120_000)
  }

  it('are attached, paid for and refunded up to what a blob holds, if they were signed on chain; one more is refused', async () => {
    const deal = await bulkDealOf({}, MOST + 1)
    const { hub, requester, dealId, owners } = deal
    const tooMany = await presignedGrantsOf(deal)
    const total = 1_000n * BigInt(MOST)
    await expect(hub.connect(requester).attachDatasets(dealId, 0n, tooMany, 2n * total))
      .to.be.revertedWithCustomError(hub, 'BlobNotWritten')
      .withArgs(1 + 52 * (MOST + 1), 24_576)
    const orders = tooMany.slice(0, MOST)
    await gasOf(hub.connect(requester).attachDatasets(dealId, 0n, orders, total), `attaching ${MOST} signed on chain`)
    expect((await hub.viewDatasets(taskIdOf(dealId, 0n))).length).to.equal(MOST)
    const frozen = await hub.frozenOf(requester)
    const settled = await settlementOf(deal, deal)
    const failure = await attestedFailure(deal, deal)

    await undone(async () => {
      await gasOf(hub.settle(...settleArguments(settled)), `settling with ${MOST}`)
      for (const owner of owners.slice(0, MOST)) expect(await hub.balanceOf(owner)).to.equal(1_000n)
      expect(await hub.balanceOf(owners[MOST] ?? '')).to.equal(0n)
    })
    await undone(async () => {
      await gasOf(hub.settleFailure(...failureArguments(failure)), `failing with ${MOST}`)
      expect(await hub.frozenOf(requester)).to.be.below(frozen - total)
    })
    await time.increase(3000)
    await gasOf(hub.initializeAndClaimArray([dealId], [0n]), `claiming with ${MOST}`)
    expect(await hub.frozenOf(requester)).to.be.below(frozen - total)
  }).timeout(240_000)
})
