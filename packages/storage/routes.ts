import { Readable } from 'node:stream'
import multipart from '@fastify/multipart'
import type { App } from '@sealdeal/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Added, Blobs, Upload } from './blobs.ts'
import {
  BlobNotFoundError,
  FileTooLargeError,
  InvalidPathError,
  InvalidUploadError,
  RangeNotSatisfiableError,
  TooManyFilesError,
} from './errors.ts'
import { parseRange } from './range.ts'

/** What one upload may hold. */
export type Limits = { fileBytes: number; files: number }

/** Status of each error that a request can cause. */
export const statuses = {
  BlobNotFoundError: 404,
  FileTooLargeError: 413,
  InvalidPathError: 400,
  InvalidUploadError: 400,
  RangeNotSatisfiableError: 416,
  TooManyFilesError: 413,
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

/**
 * The two doors of the store: Kubo's `add` and its gateway. Bodies stream both ways.
 *
 * @example
 * app.register(routes({ blobs, limits: { fileBytes: 5_000_000_000, files: 100 } }))
 */
export function routes({ blobs, limits }: { blobs: Blobs; limits: Limits }) {
  return async function plugin(app: App): Promise<void> {
    app.server.requestTimeout = uploadTimeout
    await app.register(multipart, {
      preservePath: true,
      throwFileSizeLimit: false,
      limits: { fileSize: limits.fileBytes, files: limits.files, fields: 0, parts: limits.files, headerPairs: 100 },
    })

    app.post('/api/v0/add', { schema: { querystring: AddQuery } }, async (request, reply) => {
      if (!request.isMultipart()) throw new InvalidUploadError({ reason: 'it is not multipart/form-data' })
      const wrap = request.query['wrap-with-directory'] === 'true'
      const added = await blobs.add(uploads(request, limits), { wrap }).catch((error: unknown) => {
        cutSoon(request, reply)
        throw explain(error, limits)
      })
      if (added.length === 0) throw new InvalidUploadError({ reason: 'it holds no file' })
      return reply
        .header('content-type', 'application/json')
        .header('x-chunked-output', '1')
        .send(added.map(line).join(''))
    })

    app.route({
      method: ['GET', 'HEAD'],
      url: '/ipfs/*',
      handler: async (request, reply) => serveBlob({ blobs, request, reply }),
    })
  }
}

async function serveBlob({ blobs, request, reply }: { blobs: Blobs; request: FastifyRequest; reply: FastifyReply }) {
  const path = pathOf(request)
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

/** The rest of a refused upload is not worth reading; the client gets a moment to read why. */
function cutSoon(request: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once('finish', () => {
    if (!request.raw.complete) setTimeout(() => request.raw.destroy(), 5_000).unref()
  })
}

function explain(error: unknown, { files, fileBytes }: Limits): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'FST_FILES_LIMIT' || code === 'FST_PARTS_LIMIT') return new TooManyFilesError({ limit: files })
  if (code === 'FST_REQ_FILE_TOO_LARGE') return new FileTooLargeError({ name: '', limit: fileBytes })
  if (error instanceof BlobNotFoundError || !(error instanceof Error)) return error
  if (/multipart|terminated early|premature|Boundary|FST_/i.test(`${String(code)} ${error.message}`)) {
    return new InvalidUploadError({ reason: error.message })
  }
  return error
}
