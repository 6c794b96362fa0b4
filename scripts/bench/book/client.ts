// Calls that cost the machine as little as possible: what is measured is the other side.
import { Agent, request } from 'node:http'

// biome-ignore lint/suspicious/noExplicitAny: an answer of any shape
export type Answer = { status: number; json: any; ms: number }
export type Client = ReturnType<typeof openClient>

export function openClient(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  function call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const began = performance.now()
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
      const type = body === undefined ? {} : { 'content-type': 'application/json' }
      const sent = request(url + path, { method, agent, headers: { ...type, ...length, ...headers } }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const ms = performance.now() - began
          resolve({
            status: response.statusCode ?? 0,
            json: JSON.parse(Buffer.concat(chunks).toString() || 'null'),
            ms,
          })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
  return {
    get: (path: string) => call('GET', path),
    post: (path: string, body: unknown, authorization: string) =>
      call('POST', path, JSON.stringify(body), { authorization }),
    close: () => agent.destroy(),
  }
}

/** Works through all of it, so many at once; what comes back is in their order. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  async function worker(): Promise<void> {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(items[index] as Item, index)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}

/** Of durations in milliseconds. */
export function percentile(durations: readonly number[], share: number): number {
  const sorted = [...durations].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
