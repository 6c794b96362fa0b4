import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { CID } from 'multiformats/cid'
import { z } from 'zod'
import type { Added, Blob, Blobs, Upload } from './blobs.ts'
import { BlobNotFoundError, InvalidPathError, KuboNodeError } from './errors.ts'

/** How long the node may take to say whether it holds a file, in milliseconds. */
const patience = 30_000

/** Options that make a node name files as the embedded store does, whatever its own configuration says. */
const options = 'cid-version=0&raw-leaves=false&chunker=size-262144&hash=sha2-256&progress=false&stream-channels=true'

const AddedLine = z.object({ Name: z.string(), Hash: z.string(), Size: z.string().regex(/^\d+$/) })

/**
 * Files and folders in an IPFS node that speaks Kubo's API: added (and pinned) over its RPC at `node`, read over its
 * gateway at `gateway`, both streaming. The node is trusted: what it sends is not hashed again.
 *
 * @throws {KuboNodeError} from each function when the node cannot be reached or fails.
 */
export function createKuboBlobs({ node, gateway }: { node: string; gateway: string }): Blobs & {
  /** Pins what the node holds already. */
  pin(cid: string): Promise<void>
  /** What is not pinned is the node's to collect. */
  unpin(cid: string): Promise<void>
  check(): Promise<void>
} {
  async function ask(url: string, init: RequestInit): Promise<Response> {
    const response = await fetch(url, { redirect: 'manual', ...init }).catch((cause: unknown) => {
      throw new KuboNodeError({ reason: 'it does not answer', cause })
    })
    if (response.status >= 500) {
      await response.body?.cancel()
      throw new KuboNodeError({ reason: `it answered with status ${response.status}` })
    }
    return response
  }

  async function add(files: AsyncIterable<Upload>, { wrap = false } = {}): Promise<Added[]> {
    const boundary = randomBytes(24).toString('hex')
    // What fails in the source is the uploader's error, and not the node's.
    let broken: { error: unknown } | undefined
    async function* watched() {
      try {
        yield* form(files, boundary)
      } catch (error) {
        broken = { error }
        throw error
      }
    }
    try {
      const response = await ask(join(node, `api/v0/add?${options}&wrap-with-directory=${wrap}`), {
        method: 'POST',
        headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
        body: Readable.toWeb(Readable.from(watched(), { objectMode: false })),
        // Undici's own option, which the types of fetch leave out: the body is sent as it comes.
        duplex: 'half',
      } as RequestInit)
      const text = await response.text()
      if (!response.ok) throw new KuboNodeError({ reason: `it refused the files with status ${response.status}` })
      return text.split('\n').filter(Boolean).map(readLine)
    } catch (error) {
      if (broken) throw broken.error
      if (error instanceof KuboNodeError) throw error
      throw new KuboNodeError({ reason: 'it broke off', cause: error })
    }
  }

  async function find(path: string): Promise<Blob> {
    const url = join(gateway, `ipfs/${escapePath(path)}`)
    // Kubo answers 412 where it would have to ask other nodes for the file.
    const headers = { 'accept-encoding': 'identity', 'cache-control': 'only-if-cached' }
    const response = await ask(url, { method: 'HEAD', headers, signal: AbortSignal.timeout(patience) })
    if ([400, 404, 410, 412].includes(response.status)) throw new BlobNotFoundError({ path })
    const cid = /^(?:W\/)?"(\w+)"$/.exec(response.headers.get('etag') ?? '')?.[1]
    const size = Number(response.headers.get('content-length') ?? Number.NaN)
    if (!response.ok || cid === undefined || !Number.isSafeInteger(size)) {
      throw new BlobNotFoundError({ path, reason: 'the node does not serve it as a file' })
    }

    async function* read({ start = 0, end = size } = {}): AsyncGenerator<Uint8Array> {
      if (start >= end) return
      const range = { range: `bytes=${start}-${end - 1}` }
      const whole = start === 0 && end === size
      const part = await ask(url, { headers: { ...headers, ...(whole ? {} : range) } })
      if (part.status !== (whole ? 200 : 206) || !part.body) {
        await part.body?.cancel()
        throw new KuboNodeError({ reason: `it answered a read with status ${part.status}` })
      }
      yield* part.body
    }

    return { cid, size, read }
  }

  async function changePin(change: 'add' | 'rm', cid: string): Promise<void> {
    const url = join(node, `api/v0/pin/${change}?arg=${encodeURIComponent(cid)}`)
    // Kubo answers every refusal with 500, and says in words that there is no such pin.
    const response = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(patience) }).catch(
      (cause: unknown) => {
        throw new KuboNodeError({ reason: 'it does not answer', cause })
      },
    )
    const text = await response.text().catch(() => '')
    if (response.ok || (change === 'rm' && /not pinned/i.test(text))) return
    throw new KuboNodeError({ reason: `it answered pin/${change} with status ${response.status}` })
  }

  async function check(): Promise<void> {
    const signal = AbortSignal.timeout(patience)
    const answers = await Promise.all([
      ask(join(node, 'api/v0/version'), { method: 'POST', signal }),
      ask(gateway, { method: 'HEAD', signal }),
    ])
    for (const { body } of answers) await body?.cancel()
  }

  return { add, find, pin: (cid) => changePin('add', cid), unpin: (cid) => changePin('rm', cid), check }
}

async function* form(files: AsyncIterable<Upload>, boundary: string): AsyncGenerator<Uint8Array> {
  for await (const { path, content } of files) {
    const type = content ? 'application/octet-stream' : 'application/x-directory'
    const name = encodeURIComponent(path)
    yield Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: ${type}\r\n\r\n`,
    )
    if (content) yield* content
    yield Buffer.from('\r\n')
  }
  yield Buffer.from(`--${boundary}--\r\n`)
}

/** A node that fails in the middle ends its answer with a line of another kind. */
function readLine(line: string): Added {
  const { Name, Hash, Size } = AddedLine.parse(JSON.parse(line))
  return { path: Name || Hash, cid: Hash, size: BigInt(Size) }
}

/** Refuses steps that a URL would climb by: nothing but `/ipfs/` of the node's gateway may be asked. */
function escapePath(path: string): string {
  const steps = path.split('/')
  try {
    CID.parse(steps[0] ?? '')
    if (steps.some((step) => step === '.' || step === '..')) throw new Error('it climbs')
    return steps.map(encodeURIComponent).join('/')
  } catch {
    throw new InvalidPathError({ path })
  }
}

function join(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path}`
}
