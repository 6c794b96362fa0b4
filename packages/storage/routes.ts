import { Readable } from 'node:stream'
import multipart from '@fastify/multipart'
import type { App } from '@sealdeal/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Admission, admit, type Doors } from './admission.ts'
import * as ArweaveId from './arweaveId.ts'
import type { Added, Blobs, Upload } from './blobs.ts'
import {
  BlobNotFoundError,
  FileTooLargeError,
  InvalidPathError,
  InvalidUploadError,
  KuboNodeError,
  QuotaExceededError,
  RangeNotSatisfiableError,
  TooManyFilesError,
  UploadLostError,
} from './errors.ts'
import { fileRoutes } from './files.ts'
import { parseRange } from './range.ts'

/** What one upload may hold. */
export type Limits = { fileBytes: number; files: number }

/** Status of each error that a request can cause. */
export const statuses = {
  BlobNotFoundError: 404,
  FileTooLargeError: 413,
  InvalidPathError: 400,
  InvalidUploadError: 400,
  KuboNodeError: 502,
  PinNotFoundError: 404,
  QuotaExceededError: 413,
  RangeNotSatisfiableError: 416,
  SignatureWantedError: 401,
  TooManyFilesError: 413,
  UploadLostError: 503,
}

// Kubo's clients send many options: what changes no CID is accepted and ignored, what would is refused.
const flag = z.enum(['true', 'false']).optional()
const AddQuery = z.looseObject({
  'wrap-with-directory': flag,
  'cid-version': z.enum(['0'], { error: 'only CIDv0 is made here' }).optional(),
  'raw-leaves': z.enum(['false'], { error: 'leaves are wrapped here' }).optional(),
  trickle: z.enum(['false'], { error: 'trees are balanced here' }).optional(),
  'only-hash': z.enum(['false'], { error: 'files are stored here' }).optional(),
  chunker: z.enum(['size-262144', 'default'], { error: 'chunks have 262144 bytes here' }).optional(),
  hash: z.enum(['sha2-256'], { error: 'sha2-256 is used here' }).optional(),
})

/** An upload of gigabytes may come over a slow line, in milliseconds. Headers must still come within a minute. */
const uploadTimeout = 6 * 3_600_000

type Storing = {
  blobs: Blobs
  limits: Limits
  /** Who may upload; everybody unless told, and nothing is written down. */
  doors?: Doors
  /** Called when somebody does not keep a file any more. */
  removed?: () => void
}

/**
 * The doors of the store: Kubo's `add` and its gateway, and such as Arweave's beside them. Bodies stream both ways. Where
 * uploads are signed, an account finds and deletes its files under `/files`.
 *
 * @example
 * app.register(routes({ blobs, limits: { fileBytes: 5_000_000_000, files: 100 } }))
 */
export function routes({ blobs, limits, doors = {}, removed = () => {} }: Storing) {
  return async function plugin(app: App): Promise<void> {
    const { ledger, signed } = doors
    const admissions = new WeakMap<FastifyRequest, Admission>()
    const security = signed ? { security: [{ authorization: [] }] } : {}
    // By the headers alone: who is not let in sends nothing that is read.
    const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
      const admission = await admit(request, doors).catch((error: unknown) => {
        cutSoon(request, reply)
        throw error
      })
      admissions.set(request, admission)
      // However it ends: its room is free again.
      reply.raw.once('close', () => {
        admission
          .release()
          .catch((error: unknown) => request.log.warn({ error }, 'the room of an upload is kept longer'))
      })
    }

    async function add(request: FastifyRequest, reply: FastifyReply, { wrap = false, alone = false } = {}) {
      if (!request.isMultipart()) throw new InvalidUploadError({ reason: 'it is not multipart/form-data' })
      const admission = admissions.get(request)
      if (admission === undefined) throw new Error('the upload was not let in')
      const files = admission.files(uploads(request, limits))
      try {
        const added = await blobs.add(alone ? oneOf(files) : files, { wrap })
        if (added.length === 0) throw new InvalidUploadError({ reason: 'it holds no file' })
        await admission.keep(added, { wrap })
        return added
      } catch (error) {
        cutSoon(request, reply)
        throw explain(error, limits)
      } finally {
        await admission.release()
      }
    }
    app.server.requestTimeout = uploadTimeout
    await app.register(multipart, {
      preservePath: true,
      throwFileSizeLimit: false,
      limits: { fileSize: limits.fileBytes, files: limits.files, fields: 0, parts: limits.files, headerPairs: 100 },
    })

    app.post('/api/v0/add', { onRequest, schema: { querystring: AddQuery, ...security } }, async (request, reply) => {
      const added = await add(request, reply, { wrap: request.query['wrap-with-directory'] === 'true' })
      return reply
        .header('content-type', 'application/json')
        .header('x-chunked-output', '1')
        .send(added.map(line).join(''))
    })

    app.route({
      method: ['GET', 'HEAD'],
      url: '/ipfs/*',
      handler: async (request, reply) => serveBlob({ blobs, request, reply, path: pathOf(request) }),
    })
    // The second pair of doors: one file by `POST /upload`, and `GET /<id>` as gateways of Arweave have it. An id is the
    // digest of the file's CID in 43 characters of base64url: it names the same bytes, and nothing else has to be kept.
    app.post('/upload', { onRequest, schema: security }, async (request, reply) => {
      const [{ cid } = { cid: '' }] = await add(request, reply, { alone: true })
      return reply.send({ arweaveId: ArweaveId.fromCid(cid) })
    })
    app.route({
      method: ['GET', 'HEAD'],
      url: '/:id(^[A-Za-z0-9_-]{43}$)',
      handler: async (request, reply) => {
        const { id } = request.params as { id: string }
        return serveBlob({ blobs, request, reply, path: ArweaveId.toCid(id) })
      },
    })
    if (ledger && signed) fileRoutes(app, { ledger, signed, removed })
  }
}

/** A file that has an id of its own is alone. */
async function* oneOf(files: AsyncIterable<Upload>): AsyncGenerator<Upload> {
  let count = 0
  for await (const { content } of files) {
    if (!content || count++ > 0) throw new InvalidUploadError({ reason: 'it does not hold one file and nothing else' })
    yield { path: 'file', content }
  }
}

async function serveBlob({
  blobs,
  request,
  reply,
  path,
}: {
  blobs: Blobs
  request: FastifyRequest
  reply: FastifyReply
  path: string
}) {
  const blob = await blobs.find(path)
  const etag = `"${blob.cid}"`
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'access-control-expose-headers': 'Content-Length, Content-Range, ETag, X-Ipfs-Path',
    'cache-control': 'public, max-age=29030400, immutable',
    'content-type': 'application/octet-stream',
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
    'x-ipfs-path': encodeURI(`/ipfs/${path}`),
  })
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()

  const precondition = request.headers['if-range']
  const header = precondition === undefined || precondition === etag ? request.headers.range : undefined
  const range = parseRange(header, blob.size)
  if (range === 'outside') {
    // The body of a refusal is no blob: it must neither be cached nor taken for one.
    for (const name of ['etag', 'cache-control', 'content-type', 'x-ipfs-path']) reply.removeHeader(name)
    reply.header('content-range', `bytes */${blob.size}`)
    throw new RangeNotSatisfiableError({ range: header ?? '', size: blob.size })
  }
  const { start, end } = range === 'whole' ? { start: 0, end: blob.size } : range
  if (range !== 'whole') reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${blob.size}`)
  reply.header('content-length', end - start)
  if (request.method === 'HEAD') return reply.send()
  return reply.send(Readable.from(blob.read({ start, end }), { objectMode: false }))
}

function pathOf(request: FastifyRequest): string {
  const { '*': path = '' } = z.object({ '*': z.string().optional() }).parse(request.params)
  if (path.includes('\0')) throw new InvalidPathError({ path: path.replaceAll('\0', '�') })
  return path.replace(/\/+$/, '')
}

function matches(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim()))
}

/** Kubo's line for one added file: `Size` is a decimal string. */
function line({ path, cid, size }: Added): string {
  return `${JSON.stringify({ Name: path, Hash: cid, Size: size.toString() })}\n`
}

async function* uploads(request: FastifyRequest, limits: Limits): AsyncGenerator<Upload> {
  for await (const part of request.parts()) {
    if (part.type !== 'file') throw new InvalidUploadError({ reason: `"${part.fieldname}" is a field, not a file` })
    const path = uploadPath(part.filename)
    if (part.mimetype === 'application/x-directory') {
      part.file.resume()
      yield { path }
    } else {
      yield { path, content: limited(part.file, { name: path, limit: limits.fileBytes }) }
    }
  }
}

async function* limited(
  file: Readable & { truncated: boolean },
  { name, limit }: { name: string; limit: number },
): AsyncGenerator<Uint8Array> {
  file.once('limit', () => file.destroy(new FileTooLargeError({ name, limit })))
  yield* file
  if (file.truncated) throw new FileTooLargeError({ name, limit })
}

/** The clients of Kubo escape file names as in URLs. Absolute and climbing paths become relative ones. */
function uploadPath(filename: string | undefined): string {
  let name = filename ?? ''
  try {
    name = decodeURIComponent(name)
  } catch {
    // A name with a bare percent sign was not escaped.
  }
  return name
    .split('/')
    .filter((step) => step !== '' && step !== '.' && step !== '..')
    .join('/')
}

/**
 * The rest of a refused upload is thrown away, for five seconds at most. It must be read: the client asks its next question
 * on the same connection, behind it; and where a connection is cut with bytes unread, its client never sees why.
 */
function cutSoon(request: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once('finish', () => {
    if (request.raw.complete) return
    request.raw.unpipe()
    request.raw.resume()
    setTimeout(() => request.raw.complete || request.raw.destroy(), 5_000).unref()
  })
}

const ours = [BlobNotFoundError, KuboNodeError, QuotaExceededError, UploadLostError]

function explain(error: unknown, { files, fileBytes }: Limits): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'FST_FILES_LIMIT' || code === 'FST_PARTS_LIMIT') return new TooManyFilesError({ limit: files })
  if (code === 'FST_REQ_FILE_TOO_LARGE') return new FileTooLargeError({ name: '', limit: fileBytes })
  if (!(error instanceof Error) || ours.some((each) => error instanceof each)) return error
  if (/multipart|terminated early|premature|Boundary|FST_/i.test(`${String(code)} ${error.message}`)) {
    return new InvalidUploadError({ reason: error.message })
  }
  return error
}
