import { setTimeout as sleep } from 'node:timers/promises'
import { type JsonRpcError, type JsonRpcPayload, type JsonRpcResult, makeError } from 'ethers'

/** How questions reach a node, and its answers us. */
export type Transport = {
  send: (payload: JsonRpcPayload | JsonRpcPayload[]) => Promise<(JsonRpcResult | JsonRpcError)[]>
  close: () => void
}

/** How long a node may think about one question, in milliseconds: ranges of logs take it long. */
const patience = 120_000

/** How often a node that asks us to slow down is asked again. */
const attempts = 7

/** By POST. Answers are read by the platform's own decoder: an answer with many logs has many megabytes. */
export function overHttp(url: string): Transport {
  const closed = new AbortController()
  const underWay = new Set<AbortController>()
  async function post(body: string): Promise<{ status: number; ok: boolean; text: string }> {
    // One of its own for each question: signals joined to a lasting one pile up, and may be collected before they ring.
    const asking = new AbortController()
    underWay.add(asking)
    const late = setTimeout(() => asking.abort(new Error(`no answer in ${patience / 1_000} s`)), patience)
    try {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(url, { method: 'POST', headers, body, signal: asking.signal })
      return { status: response.status, ok: response.ok, text: await response.text() }
    } catch (cause) {
      const { message, cause: below } = cause as Error & { cause?: NodeJS.ErrnoException }
      throw connectionLost(String(below?.code ?? message))
    } finally {
      clearTimeout(late)
      underWay.delete(asking)
    }
  }
  async function ask(body: string) {
    for (let attempt = 1; ; attempt++) {
      if (closed.signal.aborted) throw connectionLost('it was closed')
      const response = await post(body)
      if (response.status !== 429 || attempt === attempts) return response
      await sleep(100 * 2 ** attempt, undefined, { signal: closed.signal })
    }
  }
  return {
    async send(payload) {
      const { status, ok, text } = await ask(JSON.stringify(payload))
      const answer = parse(text)
      // Some nodes send their refusal of a question with a status of its own.
      if (answer === undefined || (!ok && !isRefusal(answer))) {
        throw makeError(`the node answered with status ${status}`, 'SERVER_ERROR', { request: 'JSON-RPC' })
      }
      return (Array.isArray(answer) ? answer : [answer]) as (JsonRpcResult | JsonRpcError)[]
    },
    close() {
      closed.abort()
      for (const each of underWay) each.abort(new Error('it was closed'))
    },
  }
}

/** Over a WebSocket, which is opened anew whenever it was lost. Questions without an answer fail then: who asked asks again. */
export function overSocket(url: string): Transport {
  type Waiting = { resolve: (answer: JsonRpcResult | JsonRpcError) => void; reject: (error: Error) => void }
  const waiting = new Map<number, Waiting>()
  let opening: Promise<WebSocket> | undefined
  let isClosed = false

  function open(): Promise<WebSocket> {
    const socket = new WebSocket(url)
    const late = setTimeout(() => socket.close(), patience)
    socket.addEventListener('message', ({ data }) => hear(String(data)))
    return new Promise((resolve, reject) => {
      socket.addEventListener('open', () => {
        clearTimeout(late)
        resolve(socket)
      })
      socket.addEventListener('close', () => {
        clearTimeout(late)
        const lost = connectionLost('the socket was closed')
        opening = undefined
        reject(lost)
        for (const { reject: fail } of waiting.values()) fail(lost)
        waiting.clear()
      })
    })
  }
  function hear(text: string): void {
    const answer = parse(text) as JsonRpcResult | JsonRpcError | undefined
    const asked = answer && waiting.get(answer.id)
    if (!asked) return
    waiting.delete(answer.id)
    asked.resolve(answer)
  }
  async function ask(payload: JsonRpcPayload): Promise<JsonRpcResult | JsonRpcError> {
    if (isClosed) throw connectionLost('it was closed')
    opening ??= open()
    const socket = await opening
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => socket.close(), patience)
      const done = () => clearTimeout(late)
      waiting.set(payload.id, {
        resolve: (answer) => resolve(answer) ?? done(),
        reject: (error) => reject(error) ?? done(),
      })
      socket.send(JSON.stringify(payload))
    })
  }
  return {
    send: (payload) => Promise.all((Array.isArray(payload) ? payload : [payload]).map(ask)),
    close() {
      isClosed = true
      opening?.then(
        (socket) => socket.close(),
        () => {},
      )
    },
  }
}

function connectionLost(reason: string): Error {
  return makeError(`the node cannot be reached: ${reason}`, 'NETWORK_ERROR', { event: 'connection' })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRefusal(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'error' in answer && 'id' in answer
}
