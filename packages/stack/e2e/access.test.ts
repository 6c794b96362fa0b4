import { type Address, Order, zeroAddress } from '@sealdeal/protocol'
import {
  type Client,
  getGrantedAccess,
  grantAccess,
  protectData,
  revokeAccess,
  revokeAllAccess,
  run,
  signOrder,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import { type BaseContract, ContractFactory } from 'ethers'
import hre from 'hardhat'
import type { Stack } from '../stack.ts'
import {
  finished,
  limits,
  newcomer,
  offerApp,
  prices,
  quadruple,
  RLC,
  refusal,
  resultKey,
  sendMatch,
} from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

const cost = prices.app + prices.data + prices.pool

describe('who may use protected data', function () {
  this.timeout(90_000)
  let stack: Stack
  let owner: Client
  let developer: Client
  let app: Awaited<ReturnType<typeof offerApp>>

  before(async () => {
    stack = await sharedStack()
    owner = await newcomer(stack)
    developer = await newcomer(stack)
    app = await offerApp(developer)
  })
  const protect = async (name: string) => (await protectData(owner, { name, data: { name } })).address
  const runs = async (client: Client, request: { app: Address; dataset: Address }) => {
    const made = await run(client, { ...request, ...limits, resultKey: await resultKey() })
    return (await finished(client, made)).verified
  }

  describe('C13 any user, and never any app', () => {
    it('lets anybody run the one app', async () => {
      const dataset = await protect('C13')
      const grant = { protectedData: dataset, authorizedApp: app.app, pricePerAccess: prices.data, numberOfAccess: 2n }
      await grantAccess(owner, grant)
      for (const user of [await newcomer(stack, { staked: cost }), await newcomer(stack, { staked: cost })]) {
        expect(await runs(user, { app: app.app, dataset })).to.equal(true)
      }
    })

    it('refuses a grant for every app, before anything is signed', async () => {
      const dataset = await protect('C13 open')
      const error = await refusal(grantAccess(owner, { protectedData: dataset, authorizedApp: zeroAddress }))
      expect([error.name, error.message]).to.satisfy(
        ([name, message]: string[]) => name === 'InvalidAppError' && message?.includes('a grant for theft'),
      )
      expect((await getGrantedAccess(owner, { protectedData: dataset })).count).to.equal(0)
    })
  })

  it('C14 a group of apps: its next version works without a new grant, what is not in it does not', async () => {
    const { abi, bytecode } = await hre.artifacts.readArtifact('Group')
    const group = await new ContractFactory(abi as never[], bytecode, developer.signer).deploy()
    await group.waitForDeployment()
    const add = async (member: Address) => {
      const added = await (group as BaseContract & { add: (...given: unknown[]) => Promise<{ wait(): unknown }> }).add(
        member,
        4n,
      )
      await added.wait()
    }
    const dataset = await protect('C14')
    await add(app.app)
    await grantAccess(owner, {
      protectedData: dataset,
      authorizedApp: (await group.getAddress()) as Address,
      pricePerAccess: prices.data,
      numberOfAccess: 3n,
    })
    const user = await newcomer(stack, { staked: 3n * cost })
    expect(await runs(user, { app: app.app, dataset })).to.equal(true)
    const next = await offerApp(developer)
    const early = await refusal(run(user, { app: next.app, dataset, ...limits }))
    expect(early.message).to.contain(next.app)
    await add(next.app)
    expect(await runs(user, { app: next.app, dataset })).to.equal(true)
  })

  describe('C18 revoke all grants in one action', () => {
    it('makes every earlier order unusable, those kept aside too, in one transaction with a report on each', async () => {
      const dataset = await protect('C18')
      const users = [await newcomer(stack, { staked: cost }), await newcomer(stack, { staked: cost })]
      const terms = { protectedData: dataset, authorizedApp: app.app, pricePerAccess: prices.data }
      const grants = []
      for (const { account } of users) grants.push(await grantAccess(owner, { ...terms, authorizedUser: account }))
      const fields = { dataset, apprestrict: app.app, datasetprice: prices.data }
      const kept = await signOrder(owner, { kind: 'dataset', order: { ...fields, requesterrestrict: zeroAddress } })
      const spent = await signOrder(owner, { kind: 'dataset', order: { ...fields, volume: 7n } })
      await revokeAccess(owner, { order: spent })

      const before = await owner.provider.getTransactionCount(owner.account)
      const report = await revokeAllAccess(owner, { protectedData: dataset, orders: [kept, spent] })
      expect(await owner.provider.getTransactionCount(owner.account)).to.equal(before + 1)
      const hashOf = (order: typeof kept) => Order.hash('dataset', order, owner.domain)
      const ended = report.filter(({ revoked }) => revoked).map(({ orderHash }) => orderHash)
      expect(new Set(ended)).to.deep.equal(new Set([...grants.map(({ orderHash }) => orderHash), hashOf(kept)]))
      expect(report.filter(({ revoked }) => !revoked)).to.deep.equal([
        {
          orderHash: hashOf(spent),
          authorizedApp: app.app,
          authorizedUser: zeroAddress,
          revoked: false,
          reason: 'nothing is left of it',
        },
      ])
      for (const [index, user] of users.entries()) {
        for (const order of [grants[index]?.order, kept]) {
          const error = await refusal(sendMatch(user, await quadruple(user, { app: app.order, dataset: order })))
          expect(error.errorName).to.equal('NothingLeft')
        }
      }
    })

    it('leaves the others where it names an app or a user, and does nothing where there is nothing', async () => {
      const dataset = await protect('C18 some')
      const one = await newcomer(stack)
      const terms = { protectedData: dataset, pricePerAccess: RLC }
      const other = await offerApp(developer)
      const mine = await grantAccess(owner, { ...terms, authorizedApp: app.app, authorizedUser: one.account })
      const anyone = await grantAccess(owner, { ...terms, authorizedApp: app.app })
      const others = await grantAccess(owner, { ...terms, authorizedApp: other.app })
      const [first, ...rest] = await revokeAllAccess(owner, { protectedData: dataset, authorizedUser: one.account })
      expect([first?.orderHash, rest]).to.deep.equal([mine.orderHash, []])
      const byApp = await revokeAllAccess(owner, { protectedData: dataset, authorizedApp: app.app })
      expect(byApp.filter(({ revoked }) => revoked).map(({ orderHash }) => orderHash)).to.deep.equal([anyone.orderHash])
      expect(await owner.contracts.hub.viewConsumed(others.orderHash)).to.equal(0n)
      const sent = await owner.provider.getTransactionCount(owner.account)
      expect(await revokeAllAccess(owner, { protectedData: await protect('C18 none') })).to.deep.equal([])
      expect(await owner.provider.getTransactionCount(owner.account)).to.equal(sent + 1)
    })

    it('is refused to who does not own it, and nothing is revoked', async () => {
      const dataset = await protect('C18 theirs')
      const { orderHash } = await grantAccess(owner, { protectedData: dataset, authorizedApp: app.app })
      const error = await refusal(revokeAllAccess(developer, { protectedData: dataset }))
      expect(error.name).to.equal('ContractRevertError')
      expect(await owner.contracts.hub.viewConsumed(orderHash)).to.equal(0n)
    })
  })
})
