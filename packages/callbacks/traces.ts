import type { Address, Contracts, Hex } from '@sealdeal/protocol'
import type { ChainAccess, ChainLog } from '@sealdeal/server'
import { id } from 'ethers'

/** One call within a transaction, as nodes with `callTracer` tell it. */
type Frame = {
  from: string
  to?: string
  input: string
  gasUsed: string
  error?: string
  calls?: Frame[]
}

/** Why a callback failed. */
export type CallbackFailure = { error: string; outOfGas: boolean; gasUsed: number }

const receiveResult = id('receiveResult(bytes32,bytes)').slice(0, 10)

/**
 * Whether the Hub's call of a callback contract failed: the chain logs nothing of it, only a trace tells.
 *
 * @throws when the node does not trace.
 */
export async function traceCallback(
  { marketplace, chain }: { marketplace: Contracts.Marketplace; chain: ChainAccess },
  { log, callback, taskId }: { log: ChainLog; callback: Address; taskId: Hex },
): Promise<CallbackFailure | undefined> {
  const hub = String(marketplace.hub.target).toLowerCase()
  const trace = await chain.send('debug_traceTransaction', [log.transactionHash, { tracer: 'callTracer' }])
  const wanted = `${receiveResult}${taskId.slice(2)}`
  const frame = frames(trace as Frame).find(
    ({ from, to, input }) => from.toLowerCase() === hub && same(to, callback) && input.startsWith(wanted),
  )
  if (frame?.error === undefined) return undefined
  return { error: frame.error, outOfGas: /out of gas/i.test(frame.error), gasUsed: Number(frame.gasUsed) }
}

function frames(frame: Frame): Frame[] {
  return [frame, ...(frame.calls ?? []).flatMap(frames)]
}

function same(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase()
}
