import { Result } from '@sealdeal/protocol'
import { type Client, fetchPrinted, grantAccess, protectData, type RunReturnType, run } from '@sealdeal/sdk'
import { expect } from 'chai'
import type { Stack } from '../stack.ts'
import { untilGivenUp } from '../testing/attacks.ts'
import { finished, limits, newcomer, offerApp, prices, refusal, resultKey } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

describe('C51 what an app prints is read by its requester, and by nobody else', () => {
  let stack: Stack
  let requester: Client
  let owner: Client
  let made: Record<'well' | 'badly', RunReturnType>
  const secret = 'patient-1906'
  const privateKey = async () => (await resultKey()).privateKey

  before(async function () {
    this.timeout(120_000)
    stack = await sharedStack()
    const developer = await newcomer(stack)
    owner = await newcomer(stack)
    requester = await newcomer(stack, { staked: 2n * (prices.app + prices.data + prices.pool) })
    // Without a word where the pool is: the market tells.
    const { market, sms, storage } = stack.endpoints
    requester = { ...requester, endpoints: { market, sms, storage } }
    const { address: dataset } = await protectData(owner, { name: 'C51', data: { [secret]: 'healthy' } })
    const { app } = await offerApp(developer)
    const access = { authorizedApp: app, authorizedUser: requester.account }
    await grantAccess(owner, { protectedData: dataset, ...access, pricePerAccess: prices.data, numberOfAccess: 2n })
    const request = { app, dataset, ...limits, resultKey: await resultKey() }
    const well = await run(requester, { ...request, args: '--leak' })
    made = { well, badly: await run(requester, { ...request, args: '--leak --exit 3' }) }
    await finished(requester, well)
    expect((await untilGivenUp(stack, made.badly.taskId)).message).to.include('code 3')
  })

  for (const how of ['well', 'badly'] as const) {
    it(`is there where the app ended ${how}`, async () => {
      const printed = await fetchPrinted(requester, { taskId: made[how].taskId, privateKey: await privateKey() })
      expect(printed).to.have.length(1)
      expect(printed[0]).to.include({ worker: stack.wallets.worker.address, stderr: '' })
      expect(printed[0]?.stdout).to.include(secret)
    })
  }

  it('needs the result key: what the workerpool keeps is sealed', async () => {
    const { taskId } = made.well
    const { privateKey } = await Result.generateKeyPair({ bits: 2048 })
    expect((await refusal(fetchPrinted(requester, { taskId, privateKey }))).name).to.equal('ResultKeyError')
  })

  it('is refused to other accounts, the owner of the data among them', async () => {
    const { taskId } = made.well
    for (const stranger of [owner, await newcomer(stack)]) {
      const error = await refusal(fetchPrinted(stranger, { taskId, privateKey: await privateKey() }))
      expect(error).to.include({ name: 'ServiceRefusedError', status: 403 })
      expect(error.message).to.include(stranger.account)
    }
    const logs = new URL(`/tasks/${taskId}/logs`, stack.endpoints.scheduler)
    expect((await fetch(logs)).status).to.equal(401)
  })

  it('is said not to be there of a task that this pool does not know', async () => {
    const { scheduler } = stack.endpoints
    const asked = { ...requester, endpoints: { ...requester.endpoints, scheduler } }
    const unknown = { taskId: `0x${'51'.repeat(32)}`, privateKey: await privateKey() } as const
    expect(await refusal(fetchPrinted(asked, unknown))).to.include({ name: 'ServiceRefusedError', status: 404 })
  })
})
