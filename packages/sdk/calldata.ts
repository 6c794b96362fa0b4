// What a transaction of the Hub was called with, for whoever needs more than its events tell.
import { type Address, type Hex, type Hub, Order } from '@sealdeal/protocol'
import type { Result, TransactionDescription } from 'ethers'

/** Every call of the Hub in a transaction's data: also inside of a `multicall`, and behind an approval of the token. */
export function callsOf(hub: Hub, data: string): TransactionDescription[] {
  const call = hub.interface.parseTransaction({ data })
  if (call === null) return []
  if (call.name === 'multicall') return (call.args.calls as string[]).flatMap((inner) => callsOf(hub, inner))
  // The token's own call has the name and the form of the staked token's.
  return call.name === 'approveAndCall' ? callsOf(hub, call.args[2] as string) : [call]
}

/** The orders that a match was given, by their hash. */
export function ordersIn(calls: readonly TransactionDescription[], domain: Order.Domain): Map<string, Order.Json> {
  const found = new Map<string, Order.Json>()
  for (const { fragment, args } of calls) {
    for (const [index, { name }] of fragment.inputs.entries()) {
      const kind = Order.kinds.find((each) => name.replace(/_$/, '') === `${each}order`)
      if (kind === undefined) continue
      const order = Order.fromJson(kind, (args[index] as Result).toObject())
      found.set(Order.hash(kind, order, domain), Order.toJson(kind, order))
    }
  }
  return found
}

/** What an enclave signed of a task's result, as its worker handed it in. */
export type EnclaveSignature = { address: Address; signature: Hex; authorization: Hex }

/** The enclave's signature with which a task's result came, out of the transaction that brought it. */
export function enclaveSignatureIn(
  calls: readonly TransactionDescription[],
  { taskId, dealId, index }: { taskId: Hex; dealId: Hex; index: bigint },
): EnclaveSignature | undefined {
  const given = calls.flatMap(({ name, args }): Result[] => {
    if (name === 'contribute' || name === 'contributeAndFinalize') return args.taskId === taskId ? [args] : []
    if (args[0] !== dealId) return []
    if (name === 'settle') return args.idx === index ? [args] : []
    return name === 'settleBatch' ? (args.settlements as Result[]).filter(({ idx }) => idx === index) : []
  })
  const [own] = given
  if (own === undefined) return undefined
  const { enclaveChallenge, enclaveSign, authorizationSign } = own.toObject() as Record<string, Hex>
  return {
    address: enclaveChallenge as Address,
    signature: enclaveSign as Hex,
    authorization: authorizationSign as Hex,
  }
}
