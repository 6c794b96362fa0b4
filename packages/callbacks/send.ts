import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { checkTarget, publicLookup } from './targets.ts'

/** So much of an answer is read, in bytes, to let the connection end in peace: only its status counts. */
const MOST_READ = 16_384

export type Outcome = { delivered: true } | { delivered: false; failure: string }

/**
 * Sends one delivery. A status from 200 to 299 in time is a delivery, everything else is none: redirections are not followed.
 *
 * @param timeout Milliseconds for everything: name, connection, answer.
 */
export async function send({
  url,
  body,
  headers,
  timeout,
  allowPrivate,
  signal,
}: {
  url: string
  body: string
  headers: Record<string, string>
  timeout: number
  allowPrivate: boolean
  signal: AbortSignal
}): Promise<Outcome> {
  const late = AbortSignal.timeout(timeout)
  try {
    const target = checkTarget(url, { allowPrivate })
    const status = await post({ target, body, headers, allowPrivate, signal: AbortSignal.any([late, signal]) })
    return status >= 200 && status < 300 ? { delivered: true } : { delivered: false, failure: `status ${status}` }
  } catch (error) {
    if (late.aborted) return { delivered: false, failure: `no answer within ${timeout} ms` }
    if (signal.aborted) return { delivered: false, failure: 'the service was stopped' }
    return { delivered: false, failure: describe(error) }
  }
}

function post({
  target,
  body,
  headers,
  allowPrivate,
  signal,
}: {
  target: URL
  body: string
  headers: Record<string, string>
  allowPrivate: boolean
  signal: AbortSignal
}): Promise<number> {
  const request = target.protocol === 'https:' ? requestSecure : requestPlain
  const options = {
    method: 'POST',
    // A connection of its own for each: one that was opened earlier may be dead, or lead elsewhere by now.
    agent: false as const,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'sealdeal-callbacks',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    },
    signal,
    ...(allowPrivate ? {} : { lookup: publicLookup }),
  }
  return new Promise((resolve, reject) => {
    const sending = request(target, options, (answer) => {
      drain(answer)
      resolve(answer.statusCode ?? 0)
    })
    sending.on('error', reject)
    sending.end(body)
  })
}

function drain(answer: IncomingMessage): void {
  let read = 0
  answer.on('error', () => {})
  answer.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read > MOST_READ) answer.destroy()
  })
}

/** The owner of the subscription reads this: no more than what went wrong. */
function describe(error: unknown): string {
  const { code, shortMessage, message } = error as { code?: unknown; shortMessage?: unknown; message?: unknown }
  if (typeof shortMessage === 'string') return shortMessage
  if (typeof code === 'string') return code
  return typeof message === 'string' ? message.slice(0, 200) : 'unknown'
}
