import { type Address, Deal, type Hex, Params, Result, Tag } from '@sealdeal/protocol'
import {
  type Client,
  createClient,
  type FetchResultReturnType,
  fetchResult,
  fetchStoredResult,
  getPayouts,
  grantAccess,
  protectData,
  type RunReturnType,
  run,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import { JsonRpcProvider, Wallet } from 'ethers'
import type { Stack } from '../stack.ts'
import { needles, scanBytes } from '../testing/canary.ts'
import {
  escrow,
  finished,
  limits,
  newcomer,
  offerApp,
  prices,
  RLC,
  refusal,
  resultKey,
  textOf,
} from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

const roles = ['requester', 'owner', 'developer', 'scheduler', 'worker', 'kitty'] as const
type Balances = Record<(typeof roles)[number], bigint>

/** One run between people who own nothing else, and what everybody had before and after it. */
type Past = {
  stack: Stack
  people: { requester: Client; owner: Client; developer: Client }
  accounts: Record<(typeof roles)[number], Address>
  request: Parameters<typeof run>[1]
  made: RunReturnType
  result: FetchResultReturnType
  stored: Uint8Array
  before: Balances
  after: Balances
}

let past: Promise<Past> | undefined

async function runOnce(): Promise<Past> {
  const stack = await sharedStack()
  const requester = await newcomer(stack, { staked: 100n * RLC })
  const [owner, developer] = await Promise.all([newcomer(stack), newcomer(stack)])
  const { app } = await offerApp(developer)
  const { address: dataset } = await protectData(owner, {
    data: { note: 'a secret of eleven words which nobody but its owner must read' },
  })
  await grantAccess(owner, {
    protectedData: dataset,
    authorizedApp: app,
    authorizedUser: requester.account,
    pricePerAccess: prices.data,
    numberOfAccess: 2n,
  })
  const accounts = {
    requester: requester.account,
    owner: owner.account,
    developer: developer.account,
    scheduler: stack.wallets.poolOwner.address as Address,
    worker: stack.wallets.worker.address as Address,
    kitty: (await requester.contracts.hub.kitty_address()) as Address,
  }
  const balances = async () => {
    const entries = roles.map(async (role) => [role, (await escrow(requester, accounts[role])).total] as const)
    return Object.fromEntries(await Promise.all(entries)) as Balances
  }
  const before = await balances()
  const request = { app, dataset, args: 'Ada', ...limits, resultKey: await resultKey() }
  const made = await run(requester, request)
  const result = await finished(requester, made)
  const after = await balances()
  const { bytes: stored } = await fetchStoredResult(requester, { taskId: made.taskId })
  return { stack, people: { requester, owner, developer }, accounts, request, made, result, stored, before, after }
}

function once(): Promise<Past> {
  past ??= runOnce()
  return past
}

describe('C45 the result is encrypted to the requester’s own key, by default', () => {
  it('is readable with that key, and is what the enclave signed', async () => {
    const { result } = await once()
    expect(textOf(result.files, 'result.txt')).to.match(/^Hello, Ada!\nThe dataset has \d+ bytes\.\n$/)
    expect(result).to.include({ encrypted: true, verified: true })
  })

  it('asks for encryption in the request that was signed, without the requester asking', async () => {
    const { people, made } = await once()
    const deal = Deal.fromChain(await people.requester.contracts.hub.viewDeal(made.dealId))
    expect(Params.parse(deal.params)).to.deep.equal({ args: 'Ada', encryptResult: true })
    expect(deal.tag).to.equal(Tag.tdx)
  })

  it('lies in the storage as ciphertext', async () => {
    const { stored, result } = await once()
    for (const content of [...result.files.values()]) {
      expect(content.length).to.be.greaterThan(10)
      expect(scanBytes(Buffer.from(stored), needles(content.slice(0, 32)), 'the stored result')).to.deep.equal([])
    }
    expect([...(await Result.files(stored)).keys()].sort()).to.deep.equal(['aes-key.rsa', 'iexec_out.zip.aes'])
  })

  it('does not open with another key, nor without one', async () => {
    const { people, made } = await once()
    const { taskId } = made
    const other = await Result.generateKeyPair({ bits: 2048 })
    const { privateKey } = other
    expect((await refusal(fetchResult(people.requester, { taskId, privateKey }))).name).to.equal('ResultKeyError')
    expect((await refusal(fetchResult(people.requester, { taskId }))).message).to.include('it is encrypted')
  })
})

describe('C47 the result of an old task is fetched later by id', () => {
  it('gives the same bytes, to a client that knows nothing but the task and the key', async () => {
    const { stack, people, made, result, stored, request } = await once()
    const again = await run(people.requester, request)
    expect(again.taskId).to.not.equal(made.taskId)
    const newer = await finished(people.requester, again)

    const { endpoints, deployment, chainId } = stack
    const provider = new JsonRpcProvider(endpoints.chain, chainId, { staticNetwork: true })
    try {
      const signer = new Wallet(Wallet.createRandom().privateKey, provider)
      const fresh = await createClient({ signer, hub: deployment.hub, endpoints })
      const { taskId, resultKey } = made
      const later = await fetchResult(fresh, { taskId, privateKey: resultKey.privateKey })
      expect([...later.files]).to.deep.equal([...result.files])
      expect(later).to.include({ cid: result.cid, verified: true })
      expect((await fetchStoredResult(fresh, { taskId })).bytes).to.deep.equal(stored)
      expect(newer.cid).to.not.equal(later.cid)
    } finally {
      provider.destroy()
    }
  })
})

describe('C48 everybody is paid automatically', () => {
  const change = ({ before, after }: Past) =>
    Object.fromEntries(roles.map((role) => [role, after[role] - before[role]])) as Balances

  it('moves exactly the prices: the requester pays, the owners of data and app earn theirs', async () => {
    const { requester, owner, developer, kitty } = change(await once())
    expect({ requester, owner, developer, kitty }).to.deep.equal({
      requester: -(prices.app + prices.data + prices.pool),
      owner: prices.data,
      developer: prices.app,
      kitty: 0n,
    })
  })

  it('splits the price of the pool between scheduler and worker as its policy says', async () => {
    const past = await once()
    const { hub } = past.people.requester.contracts
    const { schedulerRewardRatio, workerpool } = Deal.fromChain(await hub.viewDeal(past.made.dealId))
    expect(workerpool.price).to.equal(prices.pool)
    expect(schedulerRewardRatio > 0n && schedulerRewardRatio < 100n).to.equal(true)
    const { scheduler, worker } = change(past)
    expect(worker).to.equal((prices.pool * (100n - schedulerRewardRatio)) / 100n)
    expect(scheduler).to.equal(prices.pool - worker)
  })

  it('makes and loses nothing', async () => {
    const past = await once()
    const sum = Object.values(change(past)).reduce((total, amount) => total + amount, 0n)
    expect(sum).to.equal(0n)
    const { hub, token } = past.people.requester.contracts
    expect(await token.balanceOf(await hub.getAddress())).to.equal(await hub.totalSupply())
  })

  it('shows the same on the page of payouts, in one transaction', async () => {
    const past = await once()
    const { taskId } = past.made
    const { payouts, outcome, transactionHash } = await getPayouts(past.people.requester, { taskId })
    expect(outcome).to.equal('finalized')
    const shown = new Map<string, bigint>()
    for (const { movement, account, amount } of payouts) {
      const sign = { paid: -1n, earned: 1n, lost: -1n, unlocked: 0n }[movement]
      shown.set(account, (shown.get(account) ?? 0n) + sign * amount)
    }
    const { requester, owner, developer, scheduler, worker } = past.accounts
    const expected = change(past)
    expect([requester, owner, developer, scheduler, worker].map((account) => shown.get(account))).to.deep.equal([
      expected.requester,
      expected.owner,
      expected.developer,
      expected.scheduler,
      expected.worker,
    ])
    const receipt = await past.stack.provider.getTransactionReceipt(transactionHash as Hex)
    expect(receipt?.status).to.equal(1)
  })
})
