import { Secret } from '@sealdeal/protocol'
import { expect } from 'chai'
import { Wallet } from 'ethers'
import { memoryChain, randomAddress } from './testing/chain.ts'
import { openWorld, type World } from './testing/world.ts'

/** One kind of secret as published clients address it. */
type Kind = {
  name: string
  /** Path, with a fresh owner or name each time, and who may store there. */
  target(world: World): Promise<{ path: string; secret: { address: `0x${string}`; name?: string }; owner: Wallet }>
  tooLarge: number
}

let counter = 0
const kinds: Kind[] = [
  {
    name: 'a dataset key (web3)',
    async target(world) {
      const { deal } = await world.matchDeal()
      const address = deal.dataset.pointer
      await world.database.query('delete from secret')
      return { path: `/secrets/web3?secretAddress=${address}`, secret: { address }, owner: world.owners.dataset }
    },
    tooLarge: 413,
  },
  {
    name: 'a user secret (web2)',
    async target() {
      const owner = new Wallet(Wallet.createRandom().privateKey)
      const address = owner.address as `0x${string}`
      const path = `/secrets/web2?ownerAddress=${address}&secretName=my%20name`
      return { path, secret: { address, name: 'my name' }, owner }
    },
    tooLarge: 413,
  },
  {
    name: 'an app developer secret',
    async target(world) {
      const { deal } = await world.matchDeal()
      const address = deal.app.pointer
      await world.database.query('delete from secret')
      return { path: `/apps/${address}/secrets`, secret: { address, name: '1' }, owner: world.owners.app }
    },
    tooLarge: 413,
  },
  {
    name: 'a requester secret',
    async target() {
      const owner = new Wallet(Wallet.createRandom().privateKey)
      const address = owner.address as `0x${string}`
      const name = `name-${++counter}`
      return { path: `/requesters/${address}/secrets/${name}`, secret: { address, name }, owner }
    },
    tooLarge: 400,
  },
]

describe('secrets over HTTP', function () {
  this.timeout(60_000)
  let world: World
  before(async () => {
    world = await openWorld(async (wall) => memoryChain(wall))
  })
  after(() => world.close())

  async function send(method: string, path: string, value?: string | Uint8Array, authorization?: string) {
    const response = await fetch(`${world.url}${path}`, {
      method,
      ...(value === undefined ? {} : { body: value as BodyInit }),
      headers: { 'content-type': 'text/plain', ...(authorization ? { authorization } : {}) },
    })
    await response.text()
    return response.status
  }

  for (const { name, target, tooLarge } of kinds) {
    describe(name, () => {
      it('is absent (404), stored once (204), there (204), and never stored twice (409)', async () => {
        const { path, secret, owner } = await target(world)
        const authorization = await Secret.authorize({ ...secret, value: 'a value' }, owner)
        expect(await send('HEAD', path)).to.equal(404)
        expect(await send('POST', path, 'a value', authorization)).to.equal(204)
        expect(await send('HEAD', path)).to.equal(204)
        expect(await send('POST', path, 'a value', authorization)).to.equal(409)
        const other = await Secret.authorize({ ...secret, value: 'another' }, owner)
        expect(await send('POST', path, 'another', other)).to.equal(409)
      })

      it('is refused without a signature, by another wallet, over another value or name (401)', async () => {
        const { path, secret, owner } = await target(world)
        const stranger = new Wallet(Wallet.createRandom().privateKey)
        expect(await send('POST', path, 'a value')).to.equal(401)
        expect(await send('POST', path, 'a value', 'Bearer 1')).to.equal(401)
        expect(await send('POST', path, 'a value', '0x1234')).to.equal(401)
        const signed = (by: Wallet, change: object) => Secret.authorize({ ...secret, value: 'a value', ...change }, by)
        expect(await send('POST', path, 'a value', await signed(stranger, {}))).to.equal(401)
        expect(await send('POST', path, 'a value', await signed(owner, { value: 'b' }))).to.equal(401)
        expect(await send('POST', path, 'a value', await signed(owner, { name: 'other' }))).to.equal(401)
        expect(await send('POST', path, 'a value', await signed(owner, { address: randomAddress() }))).to.equal(401)
        expect(await send('HEAD', path)).to.equal(404)
      })

      it(`holds 4096 bytes and refuses one more (${tooLarge})`, async () => {
        const { path, secret, owner } = await target(world)
        const longer = `${'é'.repeat(2048)}.`
        const refused = await Secret.authorize({ ...secret, value: longer }, owner)
        expect(await send('POST', path, longer, refused)).to.equal(tooLarge)
        expect(await send('POST', path, 'x'.repeat(200_000), refused)).to.equal(tooLarge)
        const longest = 'é'.repeat(2048)
        const authorization = await Secret.authorize({ ...secret, value: longest }, owner)
        expect(await send('POST', path, longest, authorization)).to.equal(204)
      })

      it('refuses a body that is empty or no text (400)', async () => {
        const { path, secret, owner } = await target(world)
        const authorization = await Secret.authorize({ ...secret, value: '' }, owner)
        expect(await send('POST', path, '', authorization)).to.equal(400)
        expect(await send('POST', path, Uint8Array.of(0xff, 0xfe), authorization)).to.equal(400)
      })
    })
  }

  it('updates a user secret that is there (204), and none that is not (404)', async () => {
    const { path, secret, owner } = await (kinds[1] as Kind).target(world)
    const authorize = (value: string) => Secret.authorize({ ...secret, value }, owner)
    expect(await send('PUT', path, 'one', await authorize('one'))).to.equal(404)
    expect(await send('POST', path, 'one', await authorize('one'))).to.equal(204)
    expect(await send('PUT', path, 'two', await authorize('one'))).to.equal(401)
    expect(await send('PUT', path, 'two', await authorize('two'))).to.equal(204)
    expect(await world.secrets.read({ kind: 'account', owner: secret.address, name: 'my name' })).to.equal('two')
  })

  it('updates no other kind', async () => {
    for (const at of [0, 2, 3]) {
      const { path } = await (kinds[at] as Kind).target(world)
      expect(await send('PUT', path, 'x')).to.equal(404)
    }
  })

  it('refuses a dataset key where nobody owns the address (401)', async () => {
    const owner = new Wallet(Wallet.createRandom().privateKey)
    const address = owner.address as `0x${string}`
    const authorization = await Secret.authorize({ address, value: 'x' }, owner)
    expect(await send('POST', `/secrets/web3?secretAddress=${address}`, 'x', authorization)).to.equal(401)
  })

  it('takes addresses in any case and refuses what is none (400)', async () => {
    const { path, secret, owner } = await (kinds[3] as Kind).target(world)
    const authorization = await Secret.authorize({ ...secret, value: 'x' }, owner)
    expect(await send('POST', path.toLowerCase(), 'x', authorization)).to.equal(204)
    expect(await send('HEAD', path)).to.equal(204)
    expect(await send('HEAD', '/secrets/web3?secretAddress=0x12')).to.equal(400)
    expect(await send('HEAD', '/secrets/web3')).to.equal(400)
  })

  it('refuses requester names that clients may not use (400)', async () => {
    const { secret, owner } = await (kinds[3] as Kind).target(world)
    for (const name of ['a.b', 'a%20b', 'é', 'x'.repeat(65)]) {
      const value = 'x'
      const authorization = await Secret.authorize(
        { address: secret.address, name: decodeURIComponent(name), value },
        owner,
      )
      expect(await send('POST', `/requesters/${secret.address}/secrets/${name}`, value, authorization)).to.equal(400)
    }
  })

  it('keeps kinds and names apart', async () => {
    const owner = randomAddress()
    await world.secrets.create({ kind: 'requester', owner, name: 'n' }, 'of the requester')
    expect(await world.secrets.has({ kind: 'account', owner, name: 'n' })).to.equal(false)
    expect(await world.secrets.has({ kind: 'requester', owner, name: 'm' })).to.equal(false)
    expect(await world.secrets.has({ kind: 'requester', owner: randomAddress(), name: 'n' })).to.equal(false)
  })

  it('stores one of two that come at once', async () => {
    const { path, secret, owner } = await (kinds[3] as Kind).target(world)
    const values = ['a', 'b', 'c', 'd']
    const all = values.map(async (value) =>
      send('POST', path, value, await Secret.authorize({ ...secret, value }, owner)),
    )
    expect((await Promise.all(all)).sort()).to.deep.equal([204, 409, 409, 409])
  })

  it('answers pages of any origin', async () => {
    const response = await fetch(`${world.url}/secrets/web2`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://a.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization',
      },
    })
    expect(response.status).to.equal(204)
    expect(response.headers.get('access-control-allow-origin')).to.equal('*')
    expect(response.headers.get('access-control-allow-methods')).to.contain('PUT')
    expect(response.headers.get('access-control-allow-headers')).to.contain('authorization')
  })
})
