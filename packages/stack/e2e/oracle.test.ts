import { type Address, Bytes, type Hex, zeroAddress } from '@sealdeal/protocol'
import { type Client, type RunParameters, run, waitForTask } from '@sealdeal/sdk'
import { expect } from 'chai'
import { type BaseContract, ContractFactory } from 'ethers'
import hre from 'hardhat'
import type { Stack } from '../stack.ts'
import { limits, newcomer, offerApp, prices, RLC, resultKey } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

type Read<Value> = (...given: unknown[]) => Promise<Value>
type OracleFeed = BaseContract & { read: Read<bigint>; askedAt: Read<bigint>; source: Read<Hex> }
type HungryConsumer = BaseContract & { countOf: Read<bigint>; resultOf: Read<Hex> }

/** The mean of the numbers that it is given, rounded, as ABI bytes for a contract. */
const main = `
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const numbers = process.argv.slice(2).map(Number)
const mean = Math.round(numbers.reduce((sum, each) => sum + each, 0) / numbers.length)
const data = '0x' + BigInt.asUintN(256, BigInt(mean)).toString(16).padStart(64, '0')
writeFileSync(join(process.env.IEXEC_OUT, 'computed.json'), JSON.stringify({ 'callback-data': data }))
`
const bundle = {
  'iapp.json': Bytes.fromUtf8('{"entrypoint":["node","main.mjs"]}'),
  'main.mjs': Bytes.fromUtf8(main),
}

const maxAge = 3_600n

describe('C53, C74 a contract is fed by an app, and by nobody else', function () {
  this.timeout(90_000)
  let stack: Stack
  let user: Client
  let app: Address
  let feed: OracleFeed

  before(async () => {
    stack = await sharedStack()
    user = await newcomer(stack, { staked: 30n * RLC })
    app = (await offerApp(await newcomer(stack), { bundle })).app
    feed = await deployFeed()
  })

  async function deploy<Contract extends BaseContract>(name: string, values: unknown[]): Promise<Contract> {
    const { abi, bytecode } = await hre.artifacts.readArtifact(name)
    const contract = await new ContractFactory(abi as never[], bytecode, user.signer).deploy(...values)
    return (await contract.waitForDeployment()) as unknown as Contract
  }
  function deployFeed(terms: { maxAge?: bigint } = {}): Promise<OracleFeed> {
    const { hub, callbackRelay, workerpool } = stack.deployment
    const tag = `0x${'9'.padStart(64, '0')}`
    const wanted = { requester: user.account, app, dataset: zeroAddress, workerpool, tag, maxAge, ...terms }
    return deploy('OracleFeed', [hub, callbackRelay, wanted])
  }
  /** Runs an app to its end, with its result for a contract. */
  async function feedFrom(client: Client, contract: BaseContract, wishes: Partial<RunParameters> = {}): Promise<Hex> {
    const callback = (await contract.getAddress()) as Address
    const request = { app, args: '-3 4 11', ...limits, resultKey: await resultKey(), callback, ...wishes }
    const { taskId } = await run(client, request)
    await waitForTask(client, { taskId, timeout: 40_000 })
    return taskId
  }

  it('gets the value with the result’s own transaction, and readers learn how old it is', async () => {
    const taskId = await feedFrom(user, feed)
    expect(await feed.read(maxAge)).to.equal(4n)
    expect(await feed.source()).to.equal(taskId)
    const { hub } = user.contracts
    const { dealid, resultsCallback } = await hub.viewTask(taskId)
    expect(BigInt(resultsCallback)).to.equal(4n)
    const { startTime } = await hub.viewDeal(dealid)
    expect(await feed.askedAt()).to.equal(startTime)
  })

  it('is not told anything by another app, nor by another requester of the same app', async () => {
    const before = await feed.source()
    const other = (await offerApp(await newcomer(stack), { bundle })).app
    const stranger = await newcomer(stack, { staked: prices.app + prices.pool })
    await Promise.all([feedFrom(user, feed, { app: other, args: '1000' }), feedFrom(stranger, feed, { args: '2000' })])
    expect([await feed.read(maxAge), await feed.source()]).to.deep.equal([4n, before])
  })

  it('refuses a value that took too long, and the worker is paid all the same', async () => {
    const hasty = await deployFeed({ maxAge: 0n })
    const taskId = await feedFrom(user, hasty)
    expect(await hasty.askedAt()).to.equal(0n)
    const { hub } = user.contracts
    const paid = (await hub.queryFilter(hub.filters.Reward())).filter(({ args }) => args.ref === taskId)
    expect(paid.map(({ args }) => args.owner)).to.include(stack.wallets.worker.address)
  })

  it('gets by the relay what took more gas than the Hub gives', async () => {
    const { hub, callbackRelay } = stack.deployment
    const hungry = await deploy<HungryConsumer>('HungryConsumer', [hub, callbackRelay, 0])
    const taskId = await feedFrom(user, hungry, { args: '7' })
    for (const end = Date.now() + 20_000; (await hungry.countOf(taskId)) === 0n && Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await hungry.countOf(taskId)).to.equal(1n)
    expect(BigInt(await hungry.resultOf(taskId))).to.equal(7n)
    const relayed = async () => {
      const { relays } = await (await fetch(new URL('/relays?state=relayed', stack.endpoints.callbacks))).json()
      return relays.map((relay: { taskId: Hex }) => relay.taskId) as Hex[]
    }
    // The service writes down what the chain has already.
    for (const end = Date.now() + 10_000; !(await relayed()).includes(taskId) && Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await relayed()).to.include(taskId)
  })
})
