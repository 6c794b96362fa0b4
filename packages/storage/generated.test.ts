import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, type Server, serve } from '@sealdeal/server'
import { expect } from 'chai'
import fc from 'fast-check'
import { stormSize } from '../server/testing/requests.ts'
import { createBlobs, openBlocks, routes, statuses } from './index.ts'

type Sent = { method: string; path: string; headers: Record<string, string>; body: string }

const known = 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH'
const text = fc.string({ unit: 'binary', maxLength: 40 })
const number = fc.oneof(fc.nat().map(String), fc.constantFrom('', '99999999999999999999', '-1', '1e9'))
const range = fc.oneof(
  fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`),
  fc.constantFrom('bytes=', 'bytes=0-0,2-3', 'bytes', 'lines=1-2'),
)
const gatewayRequest: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'DELETE'),
  path: fc
    .tuple(
      fc.oneof(fc.constant(known), text),
      fc.array(fc.oneof(text, fc.constantFrom('..', '.', '')), { maxLength: 3 }),
    )
    .map(([cid, steps]) => `/ipfs/${[cid, ...steps].map(encodeURIComponent).join('/')}`),
  headers: fc
    .tuple(range, fc.constantFrom('*', `"${known}"`, '"', 'W/'))
    .map(([range, tag]): Record<string, string> => ({ range, 'if-none-match': tag, 'if-range': tag })),
  body: fc.constant(''),
})

const disposition = fc.oneof(
  text.map((name) => `form-data; name="file"; filename="${encodeURIComponent(name)}"`),
  fc.constantFrom(
    'form-data; name="field"',
    'form-data; name="file"; filename="%"',
    'form-data',
    '',
    'file; filename=a/..',
  ),
)
const part = fc
  .tuple(disposition, fc.constantFrom('text/plain', 'application/x-directory', ''), text)
  .map(([disposition, type, body]) => `content-disposition: ${disposition}\r\ncontent-type: ${type}\r\n\r\n${body}\r\n`)
const addRequest: fc.Arbitrary<Sent> = fc.record({
  method: fc.constant('POST'),
  path: fc
    .dictionary(
      fc.constantFrom('wrap-with-directory', 'cid-version', 'raw-leaves', 'chunker', 'hash', '__proto__'),
      fc.constantFrom('true', 'false', '0', '1', 'default', ''),
      { maxKeys: 2 },
    )
    .map((query) => `/api/v0/add?${new URLSearchParams(query)}`),
  headers: fc
    .constantFrom('multipart/form-data; boundary=x', 'multipart/form-data', 'application/json', 'text/plain', '')
    .map((type): Record<string, string> => ({ 'content-type': type })),
  body: fc
    .tuple(fc.array(part, { maxLength: 3 }), fc.constantFrom('--x--\r\n', '--x', ''))
    .map(([parts, end]) => `${parts.map((each) => `--x\r\n${each}`).join('')}${end}`),
})

describe('generated requests to the storage', function () {
  this.timeout(Math.max(60_000, stormSize * 20))
  let directory: string
  let server: Server

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'generated-'))
    const blobs = createBlobs({ blocks: await openBlocks({ directory }) })
    server = await serve({
      name: 'storage',
      host: '127.0.0.1',
      port: 0,
      log: createLog({ name: 'storage', level: 'silent' }),
      routes: routes({ blobs, limits: { fileBytes: 1_000, files: 2 } }),
      errors: statuses,
    })
    const form = new FormData()
    form.append('file', new Blob([]), 'empty')
    await fetch(`${server.url}/api/v0/add`, { method: 'POST', body: form })
  })
  after(async () => {
    await server.close()
    await rm(directory, { recursive: true, force: true })
  })

  for (const [door, requests] of Object.entries({ gateway: gatewayRequest, add: addRequest })) {
    it(`are answered by ${door}, and never with a failure of its own`, async () => {
      const seen = new Set<number>()
      await fc.assert(
        fc.asyncProperty(requests, async (sent) => {
          const status = await send(server.url, sent)
          seen.add(status)
          expect(status, JSON.stringify(sent)).to.be.within(200, 499)
        }),
        { numRuns: Math.ceil(stormSize / 2), endOnFailure: true },
      )
      expect(seen.size, [...seen].join()).to.be.greaterThan(2)
    })
  }
})

/** Sends the path as it stands: `fetch` would resolve its dots. */
function send(url: string, { method, path, headers, body }: Sent): Promise<number> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body)
    const all = { ...headers, ...(method === 'POST' ? { 'content-length': length } : {}) }
    const request = httpRequest({ hostname, port, method, path, headers: all }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', reject)
    })
    request.setTimeout(5_000, () =>
      request.destroy(new Error(`no answer to ${method} ${path} ${JSON.stringify(all)} ${JSON.stringify(body)}`)),
    )
    request.on('error', reject)
    request.end(method === 'POST' ? body : undefined)
  })
}
