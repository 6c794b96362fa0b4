import type { Address } from '@sealdeal/protocol'
import {
  type Client,
  deposit,
  type ExplainParameters,
  explain,
  grantAccess,
  printReasons,
  protectData,
  revokeAccess,
  run,
  send,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import type { Stack } from '../stack.ts'
import { escrow, finished, limits, newcomer, offerApp, prices, refusal, resultKey } from '../testing/scene.ts'
import { actAs, sharedStack } from '../testing/shared.ts'

const cost = prices.app + prices.data + prices.pool

describe('C78 ask why a run is not possible, and do what the answers say until it is', function () {
  this.timeout(90_000)
  let stack: Stack
  let user: Client
  let owner: Client
  let app: Address
  let dataset: Address
  let wanted: ExplainParameters

  before(async () => {
    stack = await sharedStack()
    user = await newcomer(stack)
    owner = await newcomer(stack)
    app = (await offerApp(await newcomer(stack))).app
    dataset = (await protectData(owner, { name: 'C78', data: { a: 1 } })).address
    wanted = {
      app,
      dataset,
      appmaxprice: prices.app,
      datasetmaxprice: prices.data - 1n,
      workerpoolmaxprice: prices.pool,
    }
  })

  /** What is in the way now, as the market tells it; the run must be refused as long as there is anything. */
  async function obstacles() {
    const { runs, reasons } = await explain(user, wanted)
    expect(runs).to.equal(reasons.length === 0)
    return reasons
  }
  const request = async () => ({ app, dataset, ...limits, resultKey: await resultKey() })

  it('nobody has granted it', async () => {
    const reasons = await obstacles()
    expect(reasons.map(({ rule, order }) => [rule, order])).to.deep.include(['NotPublished', 'dataset'])
    expect(printReasons(reasons)).to.contain('Ask its owner to grant you access.')
    expect((await refusal(run(user, await request()))).name).to.equal('OrderNotFoundError')
  })

  it('it was granted to somebody else', async () => {
    const friend = await newcomer(stack)
    const grant = await grantAccess(owner, {
      protectedData: dataset,
      authorizedApp: app,
      authorizedUser: friend.account,
      pricePerAccess: prices.data,
    })
    const [reason] = (await obstacles()).filter(({ rule }) => rule === 'Restricted')
    expect(reason).to.include({ order: 'dataset', wanted: friend.account, found: user.account })
    await revokeAccess(owner, grant)
  })

  it('it costs more than the request pays, and the request has no money', async () => {
    await grantAccess(owner, {
      protectedData: dataset,
      authorizedApp: app,
      authorizedUser: user.account,
      pricePerAccess: prices.data,
    })
    const reasons = await obstacles()
    expect(reasons.map(({ rule, order, wanted, found }) => [order, rule, wanted, found])).to.deep.equal([
      ['dataset', 'Overpriced', String(prices.data - 1n), String(prices.data)],
      ['request', 'ERC20InsufficientBalance', String(cost), '0'],
    ])
    expect(reasons[1]?.remedy).to.equal(`It must deposit ${cost} more.`)
  })

  it('nothing is in the way once the remedies were followed: it runs', async () => {
    wanted = { ...wanted, datasetmaxprice: prices.data }
    expect((await obstacles()).map(({ rule }) => rule)).to.deep.equal(['ERC20InsufficientBalance'])
    const operator = await actAs(stack, 'operator')
    await send(operator, operator.contracts.token.transfer(user.account, cost))
    await deposit(user, { amount: cost })
    expect(await obstacles()).to.deep.equal([])

    const { price, volume } = await explain(user, wanted)
    expect([price, volume]).to.deep.equal([cost, 1n])
    const { verified } = await finished(user, await run(user, await request()))
    expect(verified).to.equal(true)
    expect(await escrow(user, user.account), 'it cost what was said').to.include({ free: 0n, locked: 0n })
  })

  it('and the grant, used up, is in the way again', async () => {
    const reasons = (await obstacles()).filter(({ order }) => order === 'dataset')
    expect(reasons.map(({ rule }) => rule)).to.deep.equal(['NothingLeft'])
  })
})
