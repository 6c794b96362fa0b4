import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Address } from '@sealdeal/protocol'
import { readConfig, signRequest } from '@sealdeal/server'
import { expect } from 'chai'
import { Wallet } from 'ethers'
import { schema } from './config.ts'
import { formOf, hub, openServer, openStore, type Store } from './testing/doors.ts'

type Refusal = { name: string; error: string; remedies: string[]; limit: number; used: number }

const mebibyte = 1_048_576

describe('a storage that takes signed uploads only', function () {
  this.timeout(60_000)
  let store: Store
  let server: Awaited<ReturnType<typeof openServer>>
  before(async () => {
    store = await openStore({ quota: { bytes: 10 * mebibyte, per: 'account' } })
    server = await openServer(store, { uploads: 'signed' })
  })
  after(async () => {
    await server?.close()
    await store?.close()
  })

  const path = '/api/v0/add?progress=false'
  async function add(signer: ReturnType<typeof Wallet.createRandom> | undefined, files: Parameters<typeof formOf>[0]) {
    return server.ask(signer, { method: 'POST', path, body: formOf(files) })
  }
  const added = async (answer: Response) => JSON.parse((await answer.text()).trim().split('\n').at(-1) ?? '').Hash
  const refusalOf = async (answer: Response) => (await answer.json()) as Refusal
  async function filesOf(signer: ReturnType<typeof Wallet.createRandom>, query = '') {
    const answer = await server.ask(signer, { path: `/files${query}` })
    expect(answer.status).to.equal(200)
    return (await answer.json()) as { files: { cid: string; bytes: number; pinnedAt: string }[]; next?: string }
  }

  it('keeps what an account signed for, and lists it page by page', async () => {
    const signer = Wallet.createRandom()
    const cids = []
    for (const size of [1, 5_000, 300_000]) cids.push(await added(await add(signer, { file: randomBytes(size) })))
    const first = await filesOf(signer, '?limit=2')
    const second = await filesOf(signer, `?limit=2&after=${first.next}`)
    const listed = [...first.files, ...second.files]
    expect(listed.map(({ cid }) => cid)).to.deep.equal(cids)
    expect(
      listed.map(({ bytes }) => bytes),
      'the smallest takes a block of the disk',
    ).to.deep.equal([4_096, 5_000, 300_000])
    expect(Date.now() - Date.parse(listed[0]?.pinnedAt ?? '')).to.be.within(-1_000, 60_000)
    expect(second.next).to.equal(undefined)
    expect((await filesOf(Wallet.createRandom())).files).to.deep.equal([])
  })

  it('takes what a contract account approves of', async () => {
    const account: Address = '0x00000000000000000000000000000000000C0DE1'
    // Says yes to every signature, as ERC-1271 spells it.
    await server.chain.provider.send('hardhat_setCode', [account, '0x631626ba7e60e01b5f5260205ff3'])
    const asked = { method: 'POST', path, body: formOf({ a: 'by a contract' }), account }
    expect((await server.ask(Wallet.createRandom(), asked)).status).to.equal(200)
    const { files } = (await (await server.ask(Wallet.createRandom(), { path: '/files', account })).json()) as {
      files: []
    }
    expect(files).to.have.length(1)
  })

  it('refuses who has not signed, or not this, or not now, by the headers alone', async () => {
    const signer = Wallet.createRandom()
    const sign = (changes: object = {}) =>
      signRequest({ signer, domain: server.domain, method: 'POST', path, ...changes })
    const used = await sign()
    const post = (authorization?: string) =>
      fetch(server.url + path, {
        method: 'POST',
        body: formOf({ a: 'a' }),
        headers: authorization ? { authorization } : {},
      })
    expect((await post(used)).status).to.equal(200)
    for (const [why, header] of [
      ['absent', undefined],
      ['used before', used],
      ['expired', await sign({ lifetime: -1 })],
      ['not that of the account', await sign({ path: '/upload' })],
      ['not that of the account', await sign({ domain: { ...server.domain, service: 'sms' } })],
    ] as const) {
      const answer = await post(header)
      const refusal = await refusalOf(answer)
      expect([answer.status, refusal.name], why).to.deep.equal([401, 'SignatureWantedError'])
      expect(refusal.error).to.contain(why)
      expect(refusal.remedies.join()).to.contain('"storage"')
    }
    for (const [method, other] of [
      ['POST', '/upload'],
      ['GET', '/files'],
      ['DELETE', '/files/Qm'],
    ] as const) {
      expect((await server.ask(undefined, { method, path: other })).status, other).to.equal(401)
    }
  })

  it('answers a refusal before the body has come', async () => {
    const sending = httpRequest(server.url + path, { method: 'POST', headers: { 'content-length': 1_000_000 } })
    sending.on('error', () => {})
    sending.flushHeaders()
    const [answer] = await once(sending, 'response')
    expect(answer.statusCode).to.equal(401)
    sending.destroy()
  })

  it('says that the quota is reached, of how much, and what to do; deletion makes room', async () => {
    const signer = Wallet.createRandom()
    const cid = await added(await add(signer, { a: randomBytes(6 * mebibyte) }))
    // By what the headers say; then, where they say nothing, while the bytes come.
    const announced = await add(signer, { b: randomBytes(6 * mebibyte) })
    const streamed = await server.ask(signer, { method: 'POST', path, body: chunked(randomBytes(6 * mebibyte)) })
    for (const answer of [announced, streamed]) {
      const refusal = await refusalOf(answer)
      expect([answer.status, refusal.name]).to.deep.equal([413, 'QuotaExceededError'])
      expect([refusal.limit, refusal.used]).to.deep.equal([10 * mebibyte, 6 * mebibyte])
      expect(refusal.remedies[0]).to.contain('DELETE /files/')
    }
    expect((await server.ask(signer, { method: 'DELETE', path: `/files/${cid}` })).status).to.equal(204)
    expect((await add(signer, { b: randomBytes(6 * mebibyte) })).status).to.equal(200)
    expect((await add(Wallet.createRandom(), { b: randomBytes(6 * mebibyte) })).status, 'somebody else').to.equal(200)
  })

  it('lets uploads of one account not slip past its quota together', async () => {
    const signer = Wallet.createRandom()
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        index % 2 === 0
          ? add(signer, { a: randomBytes(3 * mebibyte) })
          : server.ask(signer, { method: 'POST', path, body: chunked(randomBytes(3 * mebibyte)) }),
      ),
    )
    for (const answer of answers) expect(answer.status).to.be.oneOf([200, 413])
    const { files } = await filesOf(signer)
    expect(files).to.have.length(answers.filter(({ status }) => status === 200).length)
    expect(files.length).to.be.within(1, 3)
    expect((await store.database.query('select 1 from upload')).length, 'room that nobody needs').to.equal(0)
  })

  it('keeps no room for an upload that is dead, which can pin nothing any more', async () => {
    const account = Wallet.createRandom().address
    const dead = await store.ledger.book({ account, bytes: 9 * mebibyte })
    const later = () => store.ledger.book({ account, bytes: 2 * mebibyte })
    expect(await later().catch((error: Error) => error.name)).to.equal('QuotaExceededError')
    await store.database.query(`update upload set alive_at = now() - interval '3 minutes' where account = $1`, [
      account,
    ])
    await (await later()).release()
    await store.collection.sweep()
    expect(await dead.pin([{ cid: 'Qm', bytes: 1 }]).catch((error: Error) => error.name)).to.equal('UploadLostError')
  })

  it('removes a file when the last account that keeps it deletes it', async () => {
    const [one, other] = [Wallet.createRandom(), Wallet.createRandom()]
    const bytes = randomBytes(700_000)
    const cid = await added(await add(one, { a: bytes }))
    expect(await added(await add(other, { b: bytes }))).to.equal(cid)
    const remove = async (signer: typeof one) =>
      (await server.ask(signer, { method: 'DELETE', path: `/files/${cid}` })).status
    expect(await remove(Wallet.createRandom())).to.equal(404)
    expect(await remove(one)).to.equal(204)
    expect(await remove(one)).to.equal(404)
    const read = () => fetch(`${server.url}/ipfs/${cid}`)
    expect(Buffer.from(await (await read()).arrayBuffer()).equals(bytes)).to.equal(true)
    expect(await remove(other)).to.equal(204)
    for (const deadline = Date.now() + 20_000; (await read()).status !== 404; await sleep(50)) {
      if (Date.now() > deadline) expect.fail('the file is still there')
    }
    expect(await added(await add(one, { a: bytes })), 'again').to.equal(cid)
    expect((await read()).status).to.equal(200)
  })

  it('pins folders as one', async () => {
    const signer = Wallet.createRandom()
    const folder = await added(await add(signer, { 'd/a': randomBytes(5_000), 'd/b': randomBytes(6_000) }))
    const wrapped = await server.ask(signer, {
      ...{ method: 'POST', path: '/api/v0/add?wrap-with-directory=true', body: formOf({ c: randomBytes(7_000) }) },
    })
    const { files } = await filesOf(signer)
    expect(files.map(({ cid, bytes }) => [cid, bytes])).to.deep.equal([
      [folder, 11_000],
      [await added(wrapped), 7_000],
    ])
  })
})

describe('a storage that counts what networks bring', function () {
  this.timeout(60_000)
  it('takes so many bytes a day from each, signed or not', async () => {
    const store = await openStore({ quota: { bytes: mebibyte, per: 'day' } })
    const server = await openServer(store, { uploads: 'open' })
    const add = () =>
      server.ask(undefined, { method: 'POST', path: '/upload', body: formOf({ a: randomBytes(600_000) }) })
    expect((await add()).status).to.equal(200)
    const refused = await add()
    expect(refused.status).to.equal(413)
    expect(((await refused.json()) as Refusal).remedies[0]).to.contain('24 hours')
    await store.database.query(`update pin set pinned_at = now() - interval '25 hours'`)
    expect((await add()).status, 'tomorrow').to.equal(200)
    expect((await server.ask(undefined, { path: '/files' })).status).to.equal(404)
    await server.close()
    await store.close()
  })
})

describe('the configuration of signed uploads', () => {
  const url = 'postgres://a@b/c'
  const chain = { CHAIN_URL: 'http://127.0.0.1:8545', HUB_ADDRESS: hub }
  for (const [missing, env] of [
    ['DATABASE_URL', { STORAGE_UPLOADS: 'signed', ...chain }],
    ['CHAIN_URL', { STORAGE_UPLOADS: 'signed', DATABASE_URL: url, HUB_ADDRESS: hub }],
    ['HUB_ADDRESS', { STORAGE_UPLOADS: 'signed', DATABASE_URL: url, CHAIN_URL: chain.CHAIN_URL }],
    ['DATABASE_URL', { STORAGE_QUOTA_BYTES: '5' }],
  ] as const) {
    it(`names ${missing} when ${Object.keys(env)[0]} needs it`, () => {
      expect(() => readConfig({ schema, env: { STORAGE_DIRECTORY: '/d', ...env } })).to.throw(`${missing}: is not set`)
    })
  }
})

/** A form that does not say how long it is. */
function chunked(bytes: Uint8Array): Response {
  return new Response(formOf({ file: bytes }))
}
