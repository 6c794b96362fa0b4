import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, type Server, serve } from '@sealdeal/server'
import { expect } from 'chai'
import { createBlobs, openBlocks, routes, statuses } from './index.ts'

const hello = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'

describe('storage over HTTP', function () {
  this.timeout(30_000)
  let directory: string
  let server: Server

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'storage-'))
    const blobs = createBlobs({ blocks: await openBlocks({ directory }) })
    server = await serve({
      name: 'storage',
      host: '127.0.0.1',
      port: 0,
      log: createLog({ name: 'storage', level: 'silent' }),
      routes: routes({ blobs, limits: { fileBytes: 2_000_000, files: 3 } }),
      errors: statuses,
    })
  })
  after(async () => {
    await server.close()
    await rm(directory, { recursive: true, force: true })
  })

  async function add(files: Record<string, Uint8Array | string>, query = ''): Promise<Response> {
    const form = new FormData()
    for (const [name, bytes] of Object.entries(files)) form.append('file', new Blob([bytes as BlobPart]), name)
    return fetch(`${server.url}/api/v0/add${query}`, { method: 'POST', body: form })
  }

  describe('POST /api/v0/add', () => {
    it('answers as Kubo does', async () => {
      const response = await add({ 'hello.txt': 'hello world\n' }, '?stream-channels=true&progress=false')
      expect(response.status).to.equal(200)
      expect(response.headers.get('access-control-allow-origin')).to.equal('*')
      expect(await response.text()).to.equal(`{"Name":"hello.txt","Hash":"${hello}","Size":"20"}\n`)
    })

    it('answers one line for each file, escaped names read back', async () => {
      const response = await add({ 'a%20b.txt': 'a', 'c.txt': 'c' })
      const lines = (await response.text()).trim().split('\n')
      expect(lines.map((line) => JSON.parse(line).Name)).to.deep.equal(['a b.txt', 'c.txt'])
    })

    it('takes climbing names as relative ones', async () => {
      const response = await add({ '../../etc/passwd': 'x' })
      const names = (await response.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).Name)
      expect(names).to.deep.equal(['etc/passwd', 'etc'])
    })

    it('wraps files in a folder when asked', async () => {
      const response = await add({ 'hello.txt': 'hello world\n' }, '?wrap-with-directory=true')
      const lines = (await response.text()).trim().split('\n')
      const { Hash } = JSON.parse(lines.at(-1) ?? '')
      const read = await fetch(`${server.url}/ipfs/${Hash}/hello.txt`)
      expect(await read.text()).to.equal('hello world\n')
    })

    it('takes a file of the limit and refuses one byte more', async () => {
      const whole = await add({ file: new Uint8Array(2_000_000) })
      expect(whole.status).to.equal(200)
      const refused = await add({ file: new Uint8Array(2_000_001) })
      expect(refused.status).to.equal(413)
      expect(await refused.json()).to.include({ ok: false, name: 'FileTooLargeError' })
    })

    it('refuses more files than the limit', async () => {
      const refused = await add({ a: 'a', b: 'b', c: 'c', d: 'd' })
      expect(refused.status).to.equal(413)
      expect(await refused.json()).to.include({ name: 'TooManyFilesError' })
    })

    it('refuses a body that is no form, an empty form, a broken form and an option that it cannot honour', async () => {
      const url = `${server.url}/api/v0/add`
      const json = await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })
      expect(json.status).to.equal(400)
      const empty = await fetch(url, { method: 'POST', body: new FormData() })
      expect(empty.status).to.equal(400)
      const broken = await fetch(url, {
        method: 'POST',
        body: '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      })
      expect(broken.status).to.equal(400)
      expect((await add({ a: 'a' }, '?cid-version=1')).status).to.equal(400)
    })

    it('stores nothing visible when the client goes away in the middle', async () => {
      const cut = new Promise<void>((resolve) => {
        const request = httpRequest(`${server.url}/api/v0/add`, {
          method: 'POST',
          headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': 1_000_000 },
        })
        request.on('error', () => resolve())
        request.write('--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n')
        request.write(Buffer.alloc(500_000, 9), () => setTimeout(() => request.destroy(new Error('gone')), 100))
      })
      await cut
      const health = await fetch(`${server.url}/health`)
      expect(health.status).to.equal(200)
    })
  })

  describe('POST /upload and GET /{id}', () => {
    const upload = (...files: string[]) => {
      const form = new FormData()
      for (const [index, text] of files.entries()) form.append('file', new Blob([text]), `${index}`)
      return fetch(new URL('/upload', server.url), { method: 'POST', body: form })
    }

    it('stores one file under an id of Arweave’s form, which names its content', async () => {
      const first = await (await upload('hello')).json()
      expect(first.arweaveId).to.match(/^[\w-]{43}$/)
      expect(await (await upload('hello')).json(), 'the same bytes, the same id').to.deep.equal(first)
      const answer = await fetch(new URL(`/${first.arweaveId}`, server.url), { headers: { range: 'bytes=1-3' } })
      expect([answer.status, await answer.text()]).to.deep.equal([206, 'ell'])
    })

    it('refuses what is not one file, and knows no other id', async () => {
      for (const files of [[], ['one', 'two']]) {
        const answer = await upload(...files)
        expect([answer.status, (await answer.json()).name]).to.deep.equal([400, 'InvalidUploadError'])
      }
      const plain = await fetch(new URL('/upload', server.url), { method: 'POST', body: 'hello' })
      expect(plain.status).to.equal(400)
      expect((await fetch(new URL(`/${'A'.repeat(43)}`, server.url))).status).to.equal(404)
      expect((await fetch(new URL(`/${'A'.repeat(42)}`, server.url))).status).to.equal(404)
    })
  })

  describe('GET /ipfs/{cid}', () => {
    const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, at) => (at * 31) % 251))
    let url: string

    before(async () => {
      const { Hash } = JSON.parse(await (await add({ file: bytes })).text())
      url = `${server.url}/ipfs/${Hash}`
    })

    it('sends the whole with its length, name and lasting cache', async () => {
      const response = await fetch(url, { headers: { accept: 'application/zip' } })
      expect(response.status).to.equal(200)
      expect(response.headers.get('content-length')).to.equal('700000')
      expect(response.headers.get('etag')).to.equal(`"${url.split('/').pop()}"`)
      expect(response.headers.get('cache-control')).to.contain('immutable')
      expect(response.headers.get('access-control-allow-origin')).to.equal('*')
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff')
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).to.equal(true)
    })

    it('answers HEAD without a body', async () => {
      const response = await fetch(url, { method: 'HEAD' })
      expect(response.status).to.equal(200)
      expect(response.headers.get('content-length')).to.equal('700000')
      expect(await response.text()).to.equal('')
    })

    it('sends a range', async () => {
      const response = await fetch(url, { headers: { range: 'bytes=262000-262999' } })
      expect(response.status).to.equal(206)
      expect(response.headers.get('content-range')).to.equal('bytes 262000-262999/700000')
      expect(response.headers.get('content-length')).to.equal('1000')
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(262_000, 263_000))).to.equal(true)
    })

    it('sends the end and refuses what lies behind it', async () => {
      const end = await fetch(url, { headers: { range: 'bytes=-5' } })
      expect(Buffer.from(await end.arrayBuffer()).equals(bytes.subarray(-5))).to.equal(true)
      const behind = await fetch(url, { headers: { range: 'bytes=700000-' } })
      expect(behind.status).to.equal(416)
      expect(behind.headers.get('content-range')).to.equal('bytes */700000')
      expect(behind.headers.get('cache-control')).to.equal(null)
      expect(await behind.json()).to.include({ ok: false, name: 'RangeNotSatisfiableError' })
    })

    it('ignores a range made for another blob', async () => {
      const response = await fetch(url, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })
      expect(response.status).to.equal(200)
    })

    it('answers 304 to who has it', async () => {
      const response = await fetch(url, { headers: { 'if-none-match': `"${url.split('/').pop()}"` } })
      expect(response.status).to.equal(304)
    })

    it('answers 404 to an unknown name and 400 to what is no name', async () => {
      const unknown = await fetch(`${server.url}/ipfs/QmVTZxAcPo2REtcwjP3oCbNqV3b3XtvzPFRMtXPDRvwbRM`)
      expect(unknown.status).to.equal(404)
      expect(await unknown.json()).to.include({ ok: false, name: 'BlobNotFoundError' })
      expect(
        (await fetch(`${server.url}/ipfs/QmVTZxAcPo2REtcwjP3oCbNqV3b3XtvzPFRMtXPDRvwbRM`, { method: 'HEAD' })).status,
      ).to.equal(404)
      expect((await fetch(`${server.url}/ipfs/nothing`)).status).to.equal(400)
    })

    it('lets pages of any origin read it', async () => {
      const response = await fetch(url, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://a.example',
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'range',
        },
      })
      expect(response.status).to.equal(204)
      expect(response.headers.get('access-control-allow-headers')).to.contain('range')
    })
  })
})
