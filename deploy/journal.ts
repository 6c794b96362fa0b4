import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type EIP1193Provider, trackTransaction } from '@nomicfoundation/ignition-core'

type Message = { type: string; futureId?: string; networkInteractionId?: number; nonce?: number }

/** A transaction that the journal announced, but whose sending it does not know of. */
type Doubtful = { line: number; nonce: number }

/**
 * Settles what a killed run left open, so that the next one can go on. Ignition announces every transaction before it
 * sends it; killed in between, it would ask its user whether the transaction went out. The chain knows: a transaction whose
 * nonce is used went out and is looked up, another did not and its announcement is struck out.
 */
export async function settleJournal({
  directory,
  provider,
  sender,
}: {
  directory: string
  provider: EIP1193Provider
  sender: string
}): Promise<void> {
  const path = join(directory, 'journal.jsonl')
  const { lines, torn } = await linesOf(path)
  const doubtful = doubtfulIn(lines)
  if (doubtful.length === 0 && !torn) return
  const used = await transactionCount({ provider, sender, block: 'latest' })
  const unsent = new Set(doubtful.filter(({ nonce }) => nonce >= used).map(({ line }) => line))
  await writeFile(path, lines.filter((_, line) => !unsent.has(line)).join('\n'))
  for (const { nonce } of doubtful.filter(({ nonce }) => nonce < used)) {
    await trackTransaction(directory, await findTransaction({ provider, sender, nonce }), provider, 1)
  }
}

/** The messages of the journal, without a last one that a killed run wrote in part. */
async function linesOf(path: string): Promise<{ lines: string[]; torn: boolean }> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const lines = text.split('\n').filter((line) => line !== '')
  const last = lines.at(-1)
  return last === undefined || isJson(last) ? { lines, torn: false } : { lines: lines.slice(0, -1), torn: true }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

function doubtfulIn(lines: string[]): Doubtful[] {
  const announced = new Map<string, Doubtful>()
  for (const [line, text] of lines.entries()) {
    const { type, futureId, networkInteractionId, nonce }: Message = JSON.parse(text)
    const interaction = `${futureId} ${networkInteractionId}`
    if (type === 'TRANSACTION_PREPARE_SEND' && nonce !== undefined) announced.set(interaction, { line, nonce })
    if (type === 'TRANSACTION_SEND') announced.delete(interaction)
  }
  return [...announced.values()]
}

/** The hash of the sender's transaction of a used nonce: in the first block after which the nonce counts as used. */
async function findTransaction({
  provider,
  sender,
  nonce,
}: {
  provider: EIP1193Provider
  sender: string
  nonce: number
}): Promise<string> {
  let first = 0
  let last = Number(await provider.request({ method: 'eth_blockNumber', params: [] }))
  while (first < last) {
    const middle = Math.floor((first + last) / 2)
    const used = await transactionCount({ provider, sender, block: `0x${middle.toString(16)}` })
    if (used > nonce) last = middle
    else first = middle + 1
  }
  const block = await provider.request({ method: 'eth_getBlockByNumber', params: [`0x${last.toString(16)}`, true] })
  const found = transactionsOf(block).find((transaction) => {
    return transaction.from.toLowerCase() === sender.toLowerCase() && Number(transaction.nonce) === nonce
  })
  if (found === undefined) {
    throw new Error(
      `The deployer ${sender} has used nonce ${nonce}, but block ${last} does not show for what. Find the transaction's ` +
        'hash in a block explorer and add it with `hardhat ignition track-tx`.',
    )
  }
  return found.hash
}

type Transaction = { from: string; nonce: string; hash: string }

function transactionsOf(block: unknown): Transaction[] {
  if (typeof block !== 'object' || block === null || !('transactions' in block)) return []
  return Array.isArray(block.transactions) ? block.transactions : []
}

async function transactionCount({
  provider,
  sender,
  block,
}: {
  provider: EIP1193Provider
  sender: string
  block: string
}): Promise<number> {
  return Number(await provider.request({ method: 'eth_getTransactionCount', params: [sender, block] }))
}
