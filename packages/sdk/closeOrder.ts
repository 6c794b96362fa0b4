import { type Hex, Order } from '@sealdeal/protocol'
import type { ContractTransactionResponse } from 'ethers'
import type { Client } from './client.ts'
import { send } from './send.ts'

/**
 * Ends an order on chain, at once and for everybody, also for those who kept a copy. Sent by its signer.
 *
 * @throws ContractRevertError when the account is not the owner.
 */
export async function closeOrder<kind extends Order.Kind>(
  client: Client,
  { kind, order }: { kind: kind; order: Order.Signed<kind> },
): Promise<{ orderHash: Hex; transactionHash: Hex }> {
  const receipt = await send(client, close(client, kind, order))
  return { orderHash: Order.hash(kind, order, client.domain), transactionHash: receipt.hash as Hex }
}

function close<kind extends Order.Kind>(
  { contracts: { hub } }: Client,
  kind: kind,
  order: Order.Signed<kind>,
): Promise<ContractTransactionResponse> {
  const operation = { operation: Order.operations.close, sign: '0x' }
  const closers: { [kind in Order.Kind]: (order: Order.Signed<kind>) => Promise<ContractTransactionResponse> } = {
    app: (order) => hub.manageAppOrder({ order: Order.tuple('app', order), ...operation }),
    dataset: (order) => hub.manageDatasetOrder({ order: Order.tuple('dataset', order), ...operation }),
    workerpool: (order) => hub.manageWorkerpoolOrder({ order: Order.tuple('workerpool', order), ...operation }),
    request: (order) => hub.manageRequestOrder({ order: Order.tuple('request', order), ...operation }),
  }
  return closers[kind](order)
}
