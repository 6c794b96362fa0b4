import { createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Why a download did not arrive. Never holds what the server said: that may be anything. */
export type DownloadTrouble = 'unreachable' | 'status' | 'too large' | 'too late'

export class DownloadError extends Error {
  override name = 'DownloadError'
  readonly trouble: DownloadTrouble
  constructor({ trouble, detail }: { trouble: DownloadTrouble; detail: string }) {
    super(detail)
    this.trouble = trouble
  }
}

/**
 * Streams the answer to a GET into a file, through `tap` piece by piece, and returns its size in bytes. Memory in use does
 * not depend on the size.
 *
 * @param maxBytes more than this is refused, whether announced or not
 * @param maxSeconds for the whole download
 * @throws DownloadError
 */
export async function download({
  url,
  file,
  maxBytes,
  maxSeconds,
  tap = () => {},
}: {
  url: string
  file: string
  maxBytes: number
  maxSeconds: number
  tap?: (chunk: Uint8Array) => void
}): Promise<number> {
  const signal = AbortSignal.timeout(maxSeconds * 1000)
  const tooLarge = () => new DownloadError({ trouble: 'too large', detail: `It is larger than ${maxBytes} bytes.` })
  try {
    const response = await fetch(url, { signal })
    if (!response.ok || response.body === null) {
      await response.body?.cancel()
      throw new DownloadError({ trouble: 'status', detail: `The server answered with status ${response.status}.` })
    }
    if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
      await response.body.cancel()
      throw tooLarge()
    }
    let size = 0
    const count = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        size += chunk.length
        if (size > maxBytes) return done(tooLarge())
        tap(chunk)
        done(null, chunk)
      },
    })
    await pipeline(response.body, count, createWriteStream(file, { flags: 'wx', mode: 0o444 }), { signal })
    return size
  } catch (error) {
    if (error instanceof DownloadError) throw error
    if (signal.aborted) throw new DownloadError({ trouble: 'too late', detail: `It took over ${maxSeconds} seconds.` })
    throw new DownloadError({ trouble: 'unreachable', detail: 'The connection failed.' })
  }
}
