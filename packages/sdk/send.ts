import { Contracts, explained } from '@sealdeal/protocol'
import { type ContractTransactionResponse, isError, type LogDescription, type TransactionReceipt } from 'ethers'
import type { Client } from './client.ts'
import { SignatureRefusedError, TransactionFailedError } from './errors.ts'
import { sleep } from './sleep.ts'

/**
 * Waits for a transaction that was just sent, looking often: a block of a local chain takes milliseconds.
 *
 * @throws ContractRevertError with the contract's own reason in words, SignatureRefusedError when the wallet said no.
 */
export async function send(
  { provider, pollingInterval }: Pick<Client, 'provider' | 'pollingInterval'>,
  sending: Promise<ContractTransactionResponse>,
): Promise<TransactionReceipt> {
  const transaction = await sending.catch((error: unknown) => {
    throw isError(error, 'ACTION_REJECTED') ? new SignatureRefusedError({ cause: error }) : explained(error)
  })
  for (;;) {
    const receipt = await provider.getTransactionReceipt(transaction.hash)
    if (receipt === null) {
      await sleep(pollingInterval)
      continue
    }
    if (receipt.status === 1) return receipt
    // Asking again at the same block gives the reason, which a receipt does not hold.
    const { to, from, data, value } = transaction
    const cause: unknown = await provider.call({ to, from, data, value, blockTag: receipt.blockNumber }).catch((e) => e)
    const reason = explained(cause)
    throw reason === cause ? new TransactionFailedError({ hash: transaction.hash, cause }) : reason
  }
}

/** The events of a receipt that our contracts emitted, in order. */
export function events(receipt: Pick<TransactionReceipt, 'logs'>): (LogDescription & { address: string })[] {
  return receipt.logs.flatMap((log) => {
    const event = Contracts.parseLog(log)
    return event === null ? [] : [Object.assign(event, { address: log.address })]
  })
}
