import { type Address, Bytes, type Hex, Secret, SignedRequest } from '@sealdeal/protocol'
import { expect } from 'chai'
import { Wallet } from 'ethers'
import type { SecretId } from './index.ts'
import { memoryChain } from './testing/chain.ts'
import { type HardhatChain, hardhatChain } from './testing/hardhat.ts'
import { attempt, openWorld, pushEverything, type World } from './testing/world.ts'

type Signing = Parameters<typeof SignedRequest.sign>[0]

describe('signed requests for secrets', function () {
  this.timeout(60_000)
  let world: World
  before(async () => {
    world = await openWorld(async (wall) => memoryChain(wall))
  })
  after(() => world.close())

  const wallet = () => new Wallet(Wallet.createRandom().privateKey)
  const pathOf = ({ address }: Wallet, name = 'n') => `/requesters/${address}/secrets/${name}`
  const resultPath = ({ address }: Wallet) =>
    `/secrets/web2?ownerAddress=${address}&secretName=${Secret.reserved.resultKey}`

  async function send(method: string, path: string, authorization: string, body?: string, to: World = world) {
    const headers = { authorization, 'content-type': 'text/plain' }
    const response = await fetch(to.url + path, { method, headers, ...(body === undefined ? {} : { body }) })
    const text = await response.text()
    return { status: response.status, name: text === '' ? undefined : (JSON.parse(text).name as string), text }
  }
  function signed(signer: Wallet, method: string, path: string, body = '', changed: Partial<Signing> = {}) {
    const { chainId, hub } = world.chain
    return SignedRequest.sign({ signer, domain: { chainId, hub, service: 'sms' }, method, path, body, ...changed })
  }

  it('store a secret, once', async () => {
    const owner = wallet()
    const path = pathOf(owner)
    const authorization = await signed(owner, 'POST', path, 'value')
    expect((await send('POST', path, authorization, 'value')).status).to.equal(204)
    const again = await send('POST', path, authorization, 'value')
    expect([again.status, again.name]).to.deep.equal([401, 'SecretNotAuthorizedError'])
    expect(again.text).to.contain('used before')
    expect((await send('POST', path, await signed(owner, 'POST', path, 'value'), 'value')).status).to.equal(409)
  })

  it('say what, where, for which chain and service, and until when: nothing else passes', async () => {
    const owner = wallet()
    const path = pathOf(owner)
    const { chainId, hub } = world.chain
    const elsewhere = { chainId, hub, service: 'sms' }
    const wrong: [string, Promise<string>, string?][] = [
      ['another value', signed(owner, 'POST', path, 'value'), 'other'],
      ['another path', signed(owner, 'POST', pathOf(owner, 'm'), 'value')],
      ['another method', signed(owner, 'PUT', path, 'value')],
      ['another service', signed(owner, 'POST', path, 'value', { domain: { ...elsewhere, service: 'market' } })],
      ['another chain', signed(owner, 'POST', path, 'value', { domain: { ...elsewhere, chainId: 1n } })],
      [
        'another Hub',
        signed(owner, 'POST', path, 'value', { domain: { ...elsewhere, hub: owner.address as Address } }),
      ],
      ['too late', signed(owner, 'POST', path, 'value', { lifetime: -1 })],
      ['too long', signed(owner, 'POST', path, 'value', { lifetime: 3_600 })],
      ['another wallet', signed(wallet(), 'POST', path, 'value')],
      ['no such form', Promise.resolve('Sealdeal account=0x12')],
    ]
    for (const [what, authorization, body = 'value'] of wrong) {
      const answer = await send('POST', path, await authorization, body)
      expect([answer.status, answer.name], what).to.deep.equal([401, 'SecretNotAuthorizedError'])
    }
    expect(await world.secrets.has({ kind: 'requester', owner: owner.address as Address, name: 'n' })).to.equal(false)
  })

  it('bring no older value back: what published clients sign counts once as well', async () => {
    const owner = wallet()
    const path = resultPath(owner)
    const address = owner.address as Address
    const id: SecretId = { kind: 'account', owner: address, name: Secret.reserved.resultKey }
    const legacy = (value: string) => Secret.authorize({ address, name: Secret.reserved.resultKey, value }, owner)
    expect((await send('POST', path, await legacy('old'), 'old')).status).to.equal(204)
    expect((await send('PUT', path, await legacy('new'), 'new')).status).to.equal(204)
    expect((await send('PUT', path, await legacy('new'), 'new')).status, 'what is so may be said again').to.equal(204)
    const replayed = await send('PUT', path, await legacy('old'), 'old')
    expect([replayed.status, replayed.name]).to.deep.equal([401, 'SecretAuthorizationSpentError'])
    expect(await world.secrets.read(id)).to.equal('new')
    expect((await send('PUT', path, await signed(owner, 'PUT', path, 'old'), 'old')).status).to.equal(204)
    expect(await world.secrets.read(id)).to.equal('old')
  })

  describe('delete', () => {
    it('a secret of an account, by its owner and by no older signature; another may follow', async () => {
      const owner = wallet()
      const path = pathOf(owner)
      const address = owner.address as Address
      const legacy = await Secret.authorize({ address, name: 'n', value: 'value' }, owner)
      expect((await send('POST', path, legacy, 'value')).status).to.equal(204)
      const empty = await Secret.authorize({ address, name: 'n', value: '' }, owner)
      for (const by of [legacy, empty, await signed(wallet(), 'DELETE', path)]) {
        expect((await send('DELETE', path, by)).status).to.equal(401)
      }
      expect((await send('DELETE', path, await signed(owner, 'DELETE', path))).status).to.equal(204)
      expect((await send('DELETE', path, await signed(owner, 'DELETE', path))).status).to.equal(404)
      const restored = await send('POST', path, legacy, 'value')
      expect([restored.status, restored.name]).to.deep.equal([401, 'SecretAuthorizationSpentError'])
      expect((await send('POST', path, await signed(owner, 'POST', path, 'next'), 'next')).status).to.equal(204)
    })

    it('the key of data and the secret of an app for ever: sessions are refused, nothing takes their place', async () => {
      const standing = await world.matchDeal()
      await pushEverything(world, standing)
      const { app, dataset } = standing.deal
      const places: [Wallet, string, SecretId][] = [
        [world.owners.app, `/apps/${app.pointer}/secrets`, { kind: 'app', owner: app.pointer }],
        [
          world.owners.dataset,
          `/secrets/web3?secretAddress=${dataset.pointer}`,
          { kind: 'dataset', owner: dataset.pointer },
        ],
      ]
      for (const [owner, path, id] of places) {
        expect((await send('DELETE', path, await signed(owner, 'DELETE', path))).status).to.equal(204)
        expect((await send('HEAD', path, '0x')).status).to.equal(404)
        const value = await send('POST', path, await signed(owner, 'POST', path, 'swapped'), 'swapped')
        expect([value.status, value.name]).to.deep.equal([409, 'SecretExistsError'])
        const { status, body } = await attempt(world, standing)
        expect([status, body.name]).to.deep.equal([403, 'SecretDeletedError'])
        const label = [id.kind, id.owner.toLowerCase()]
        const rows = await world.database.query<{ length: number }>(
          'select length(ciphertext) + length(wrapped_key) as length from secret where kind = $1 and owner = $2',
          label,
        )
        expect(rows.map(({ length }) => length)).to.deep.equal([0])
        const logged = await world.database.query(
          `select actor from audit_entry where action = 'deleted' and secrets @> jsonb_build_array(jsonb_build_array($1::text, $2::text))`,
          label,
        )
        expect(logged).to.have.length(1)
        expect(logged[0]?.actor).to.be.a('string')
      }
    })
  })
})

describe('signed requests of contract accounts', function () {
  this.timeout(60_000)
  let hardhat: HardhatChain
  let world: World
  before(async () => {
    world = await openWorld(async () => {
      hardhat = await hardhatChain()
      return hardhat
    })
  })
  after(() => world.close())

  it('store and delete, by the signature of their holder (ERC-1271)', async () => {
    const holder = new Wallet(Bytes.toHex(Bytes.random(32)))
    const account = await hardhat.deployContractWallet(holder.address as Address)
    const path = `/requesters/${account}/secrets/n`
    const { chainId, hub } = world.chain
    const ask = async (by: Wallet, method: string, body = '') => {
      const signer = { getAddress: async () => account as string, signTypedData: by.signTypedData.bind(by) as never }
      const domain = { chainId, hub, service: 'sms' }
      const authorization = await SignedRequest.sign({ signer, domain, method, path, body })
      const headers = { authorization, 'content-type': 'text/plain' }
      return (await fetch(world.url + path, { method, headers, ...(body === '' ? {} : { body }) })).status
    }
    const stranger = new Wallet(Bytes.toHex(Bytes.random(32)) as Hex)
    expect(await ask(stranger, 'POST', 'v')).to.equal(401)
    expect(await ask(holder, 'POST', 'v')).to.equal(204)
    expect(await ask(stranger, 'DELETE')).to.equal(401)
    expect(await ask(holder, 'DELETE')).to.equal(204)
  })
})
