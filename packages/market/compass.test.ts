import type { Address } from '@sealdeal/protocol'
import { expect } from 'chai'
import type { Wallet } from 'ethers'
import { schema } from './config.ts'
import { createWorld, type World } from './testing/world.ts'

describe('the compass', function () {
  this.timeout(60_000)
  const app = `0x${'11'.repeat(20)}` as Address
  let world: World
  let owner: Wallet
  let pool: Address
  before(async () => {
    world = await createWorld({ iapps: new Map([['mail', app]]) })
    owner = await world.wallet()
    pool = await world.createWorkerpool(owner)
  })
  after(() => world.close())

  const place = (workerpool = pool, chainId = 31337) => `/${chainId}/workerpools/${workerpool}`
  const tell = async (signer: Wallet, apiUrl: unknown, path = place()) =>
    world.send('PUT', path, { apiUrl }, await world.login(signer))

  it('knows nothing of a pool before its owner said where its API is', async () => {
    const { status, json } = await world.call(place())
    expect([status, json.error]).to.deep.equal([404, 'workerpool not found'])
  })
  it('says what the owner said last', async () => {
    for (const apiUrl of ['http://127.0.0.1:1', 'https://pool.example/']) {
      expect((await tell(owner, apiUrl)).status).to.equal(200)
      const { status, json } = await world.call(place())
      expect([status, json.apiUrl]).to.deep.equal([200, apiUrl])
    }
    expect((await world.call(place(pool.toLowerCase() as Address))).status).to.equal(200)
    expect((await world.call(place(pool, 1))).status).to.equal(404)
  })
  it('listens to nobody else, and to nothing but a URL', async () => {
    const stranger = await world.wallet()
    const foreign = await tell(stranger, 'http://evil.example')
    expect([foreign.status, foreign.json.name]).to.deep.equal([403, 'ForeignWorkerpoolError'])
    expect((await world.send('PUT', place(), { apiUrl: 'http://evil.example' })).status).to.equal(403)
    expect((await tell(owner, 'javascript:alert(1)')).status).to.equal(400)
    expect((await tell(owner, 'http://a.example', place(app))).status).to.equal(404)
    expect((await tell(owner, 'http://a.example', place(pool, 1))).status).to.equal(404)
    expect((await world.call(place())).json.apiUrl).to.equal('https://pool.example/')
  })
  it('forgets what an earlier owner said', async () => {
    const next = await world.wallet()
    const registry = world.contracts.workerpoolRegistry.connect(owner)
    await (await registry['safeTransferFrom(address,address,uint256)'](owner.address, next.address, pool)).wait()
    await world.market().caughtUp()
    expect((await world.call(place())).status).to.equal(404)
    expect((await tell(owner, 'http://old.example')).status).to.equal(403)
    expect((await tell(next, 'http://new.example')).status).to.equal(200)
    expect((await world.call(place())).json.apiUrl).to.equal('http://new.example')
  })
  it('names the well-known apps of its operator', async () => {
    const { status, json } = await world.call('/31337/iapps/mail')
    expect([status, json.address]).to.deep.equal([200, app])
    expect((await world.call('/31337/iapps/other')).status).to.equal(404)
    expect((await world.call('/1/iapps/mail')).status).to.equal(404)
  })
  it('reads them from IAPPS', () => {
    const read = (IAPPS?: string) => schema.shape.IAPPS.safeParse(IAPPS)
    expect(read(`mail=${app}, train=0x${'22'.repeat(20)}`).data?.size).to.equal(2)
    expect(read().data?.size).to.equal(0)
    for (const wrong of ['mail', `=${app}`, 'mail=0x12', `mail=${app},`]) expect(read(wrong).success).to.equal(false)
  })
})
