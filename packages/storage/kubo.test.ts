import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, openTestDatabase, readConfig, type Server, serve } from '@sealdeal/server'
import { expect } from 'chai'
import type { Blobs } from './blobs.ts'
import { driverOf, schema } from './config.ts'
import {
  createBlobs,
  createKuboBlobs,
  migrations,
  nodeCollection,
  openBlocks,
  openLedger,
  routes,
  statuses,
} from './index.ts'

const log = createLog({ name: 'storage', level: 'silent' })

// The node is a second server of ours, which speaks the part of Kubo's API that the driver uses.
describe('a node that speaks the API of Kubo as the store', function () {
  this.timeout(30_000)
  let directory: string
  let node: Server
  let server: Server
  let kubo: ReturnType<typeof createKuboBlobs>

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubo-'))
    node = await open(createBlobs({ blocks: await openBlocks({ directory }) }))
    kubo = createKuboBlobs({ node: node.url, gateway: `${node.url}/` })
    server = await open(kubo)
  })
  after(async () => {
    await server.close()
    await node.close()
    await rm(directory, { recursive: true, force: true })
  })

  const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, at) => (at * 31) % 251))

  async function add(files: Record<string, string | Uint8Array>, query = ''): Promise<Response> {
    const form = new FormData()
    for (const [name, part] of Object.entries(files)) form.append('file', new Blob([part as BlobPart]), name)
    return fetch(`${server.url}/api/v0/add${query}`, { method: 'POST', body: form })
  }

  it('answers as the node itself', async () => {
    const response = await add({ 'hello.txt': 'hello world\n' })
    const cid = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'
    expect(await response.text()).to.equal(`{"Name":"hello.txt","Hash":"${cid}","Size":"20"}\n`)
    expect(await (await fetch(`${server.url}/ipfs/${cid}`)).text()).to.equal('hello world\n')
  })

  it('keeps names, folders and the wish to be wrapped', async () => {
    const lines = (await (await add({ 'd/ä b.txt': 'a' }, '?wrap-with-directory=true')).text()).trim().split('\n')
    const { Hash } = JSON.parse(lines.at(-1) ?? '')
    const read = await fetch(`${server.url}/ipfs/${Hash}/d/${encodeURIComponent('ä b.txt')}`)
    expect(await read.text()).to.equal('a')
    expect((await fetch(`${server.url}/ipfs/${Hash}`)).status).to.equal(404)
  })

  it('sends ranges, and the whole, exactly', async () => {
    const { Hash } = JSON.parse(await (await add({ file: bytes })).text())
    const url = `${server.url}/ipfs/${Hash}`
    const whole = await fetch(url)
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).to.equal(true)
    for (const [range, start, end] of [
      ['bytes=262143-262145', 262_143, 262_146],
      ['bytes=699000-', 699_000, 700_000],
      ['bytes=-1', 699_999, 700_000],
    ] as const) {
      const part = await fetch(url, { headers: { range } })
      expect(part.status).to.equal(206)
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(start, end)), range).to.equal(true)
    }
    expect((await fetch(url, { headers: { range: 'bytes=700000-' } })).status).to.equal(416)
  })

  it('passes on what the uploader did wrong', async () => {
    const refused = await add({ file: new Uint8Array(2_000_001) })
    expect(refused.status).to.equal(413)
    expect(await refused.json()).to.include({ name: 'FileTooLargeError' })
  })

  it('asks the node for nothing outside of its files', async () => {
    const cid = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'
    for (const path of [`${cid}/../../health`, `${cid}/./x`, '../health', '']) {
      const error = await kubo.find(path).catch((reason: unknown) => reason)
      expect(error, path).to.have.property('name', 'InvalidPathError')
    }
  })

  it('unpins there what nobody keeps here, and tries again while the node is away', async () => {
    const asked: string[] = []
    let status = 503
    // As Kubo has it: refusals of every kind are 500, told apart by their words.
    const pins = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.writeHead(status).end(status === 500 ? '{"Message":"not pinned or pinned indirectly"}' : '{}')
    })
    await new Promise<void>((resolve) => pins.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(pins.address() as AddressInfo).port}`
    const { database, close } = await openTestDatabase({ migrations })
    const ledger = openLedger({ database, log })
    const collection = nodeCollection({ database, kubo: createKuboBlobs({ node: url, gateway: url }) })
    const known = async () => (await database.query('select cid from root order by cid')).map((row) => row.cid)
    try {
      const booking = await ledger.book({ account: 'a', bytes: 0 })
      await booking.pin(['QmA', 'QmB'].map((cid) => ({ cid, bytes: 1 })))
      await ledger.unpin({ account: 'a', cid: 'QmA' })
      expect(await collection.removed().catch((error: Error) => error.name)).to.equal('KuboNodeError')
      expect(await known()).to.deep.equal(['QmA', 'QmB'])
      status = 500
      expect(await collection.removed(), 'it was unpinned by somebody else').to.equal(true)
      expect(await known()).to.deep.equal(['QmB'])
      status = 200
      await ledger.unpin({ account: 'a', cid: 'QmB' })
      await collection.sweep()
      expect(await known()).to.deep.equal([])
      expect(asked).to.deep.equal(['A', 'A', 'B'].map((name) => `POST /api/v0/pin/rm?arg=Qm${name}`))
    } finally {
      await ledger.close()
      await close()
      pins.close()
    }
  })

  it('says that the node is gone, and is not ready then', async () => {
    await kubo.check()
    const gone = await open(createBlobs({ blocks: await openBlocks({ directory }) }))
    await gone.close()
    const orphan = createKuboBlobs({ node: gone.url, gateway: gone.url })
    const alone = await open(orphan)
    const form = new FormData()
    form.append('file', new Blob(['x']), 'x')
    const answer = await fetch(`${alone.url}/api/v0/add`, { method: 'POST', body: form })
    expect(answer.status).to.equal(502)
    expect(await answer.json()).to.include({ name: 'KuboNodeError' })
    expect(await orphan.check().catch((reason: unknown) => reason)).to.have.property('name', 'KuboNodeError')
    await alone.close()
  })

  it('is chosen by two variables, of which one alone is an error', () => {
    const urls = { STORAGE_KUBO_URL: 'http://node:5001', STORAGE_KUBO_GATEWAY_URL: 'http://node:8080' }
    const driver = { node: 'http://node:5001', gateway: 'http://node:8080' }
    expect(driverOf(readConfig({ schema, env: urls }))).to.deep.equal(driver)
    expect(driverOf(readConfig({ schema, env: { STORAGE_DIRECTORY: '/d' } }))).to.deep.equal({ directory: '/d' })
    const { STORAGE_KUBO_URL } = urls
    expect(() => readConfig({ schema, env: { STORAGE_KUBO_URL, STORAGE_DIRECTORY: '/d' } })).to.throw()
    expect(() => readConfig({ schema, env: {} })).to.throw()
  })
})

function open(blobs: Blobs): Promise<Server> {
  return serve({
    name: 'storage',
    host: '127.0.0.1',
    port: 0,
    log: createLog({ name: 'storage', level: 'silent' }),
    routes: routes({ blobs, limits: { fileBytes: 2_000_000, files: 3 } }),
    errors: statuses,
  })
}
