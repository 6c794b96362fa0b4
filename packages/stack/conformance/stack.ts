// A stack of its own: what the published client offers, revokes and hands over is not what other tests should find in the book.
import type { Stack } from '../stack.ts'
import { temporaryStack } from '../testing/shared.ts'

let own: Promise<Stack> | undefined

/** The stack that the published client is run against, started when first asked for. */
export function conformanceStack(): Promise<Stack> {
  own ??= temporaryStack()
  return own
}

/** Stops it, if there is one. */
export async function stopConformanceStack(): Promise<void> {
  await (await own)?.stop()
}
