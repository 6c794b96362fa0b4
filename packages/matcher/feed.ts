import { setTimeout as sleep } from 'node:timers/promises'

/** After a broken connection, in milliseconds. */
const RECONNECT_MS = 1_000

/**
 * Listens to the market's live feed of orders and calls `changed` whenever something is said, and after each new connection,
 * since what happened in between is not repeated. `isLive` tells whether one can rely on being called.
 */
export function listenToMarket({ url, changed, signal }: { url: string; changed: () => void; signal: AbortSignal }) {
  let live = false

  async function listen(): Promise<void> {
    const response = await fetch(new URL('/events?topic=orders', url), { signal })
    if (!response.ok || !response.body) return void response.body?.cancel()
    live = true
    changed()
    for await (const _ of response.body) changed()
  }
  async function run(): Promise<void> {
    while (!signal.aborted) {
      await listen().catch(() => {})
      live = false
      await sleep(RECONNECT_MS, undefined, { signal }).catch(() => {})
    }
  }
  const ended = run()
  return { isLive: () => live, ended }
}
