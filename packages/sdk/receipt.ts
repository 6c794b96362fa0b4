// One file that proves a run, without the chain and without us: what was agreed, what ran where, what came out, who was paid.
import { collateralSchema } from '@sealdeal/attestation'
import { type Address, BaseError, Canonical, type Hex, type Order } from '@sealdeal/protocol'
import { recoverAddress, type Signer, TypedDataEncoder } from 'ethers'
import { z } from 'zod'

const hex = z.string().regex(/^0x([0-9a-f]{2})*$/, 'must be 0x and lower-case hexadecimal digits') as z.ZodType<Hex>
const word = z.string().regex(/^0x[0-9a-f]{64}$/, 'must be 32 bytes in hexadecimal') as z.ZodType<Hex>
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address') as z.ZodType<Address>
const amount = z.string().regex(/^\d{1,78}$/, 'must be a whole number in decimal digits')
const order = z.record(z.string(), z.string()) as z.ZodType<Order.Json>
const origin = { registry: address, master: address, owner: address }

/** An app or a dataset: the fields that its address follows from. */
const assets = z.strictObject({
  app: z.strictObject({
    ...origin,
    name: z.string(),
    type: z.string(),
    multiaddr: hex,
    checksum: word,
    mrEnclave: hex,
  }),
  dataset: z.strictObject({ ...origin, name: z.string(), multiaddr: hex, checksum: word }).optional(),
})

const evidence = z.strictObject({
  attempt: amount,
  worker: address,
  enclaveKey: word,
  enclaveAddress: address,
  nonce: word,
  quote: z.base64(),
  eventLog: z.array(z.strictObject({ event: z.string(), payload: hex })),
  collateral: collateralSchema.strict(),
  policy: z.record(z.string(), z.unknown()),
  at: z.iso.datetime(),
  signature: hex,
})

/** What the enclave's key signed, and who let that key speak for the worker. */
const enclave = z.strictObject({ worker: address, address, digest: word, signature: hex, authorization: hex })

const payout = z.strictObject({
  movement: z.enum(['paid', 'lost', 'earned']),
  account: address,
  amount,
})

/** The parts of a receipt, each sealed by itself, so that what was changed can be named. */
const parts = {
  version: z.literal(1),
  /** Decimal. */
  chainId: amount,
  hub: address,
  task: z.strictObject({ taskId: word, dealId: word, index: amount, botFirst: amount }),
  orders: z.strictObject({ app: order, dataset: order.optional(), workerpool: order, request: order }),
  assets,
  /** Headers in RLP, and of each block the receipts that matter, with the nodes that lead to them. */
  blocks: z.array(
    z.strictObject({
      header: hex,
      receipts: z.array(z.strictObject({ index: z.number().int().nonnegative(), proof: z.array(hex) })).min(1),
    }),
  ),
  result: z.strictObject({ digest: word, location: hex, workers: z.array(address).min(1) }),
  payouts: z.array(payout),
  enclave: enclave.optional(),
  evidence: evidence.optional(),
}

export const receiptSchema = z.strictObject({
  ...parts,
  /** Of whoever exported it: what nothing else binds is bound by that account. */
  seal: z.strictObject({ account: address, digests: z.record(z.string(), word), signature: hex }),
})

export type Receipt = z.output<typeof receiptSchema>
/** What is sealed. */
export type ReceiptContent = Omit<Receipt, 'seal'>
export type PartName = keyof ReceiptContent

/** A receipt does not prove what it says. `part` is the first part of it that is wrong. */
export class ReceiptRefusedError extends BaseError {
  override name = 'ReceiptRefusedError'
  readonly part: string
  constructor({ part, reason, cause }: { part: string; reason: string; cause?: unknown }) {
    super(`The receipt is refused: "${part}": ${reason}.`, {
      cause,
      metaMessages: ['It was changed, or is of something else. Ask whoever has it for the file as it was exported.'],
      docsPath: '/receipts#verify',
    })
    this.part = part
  }
}

/** Throws ReceiptRefusedError about a part. */
export function refuse(part: string, reason: string, cause?: unknown): never {
  throw new ReceiptRefusedError({ part, reason, cause })
}

const sealTypes = {
  Receipt: [
    { name: 'taskId', type: 'bytes32' },
    { name: 'content', type: 'bytes32' },
  ],
}

type SealDomain = Pick<ReceiptContent, 'chainId' | 'hub'>
const domainOf = ({ chainId, hub }: SealDomain) => ({
  name: 'Sealdeal receipt',
  version: '1',
  chainId: BigInt(chainId),
  verifyingContract: hub,
})

function digestsOf(content: ReceiptContent): Record<string, Hex> {
  const named = Object.keys(parts).flatMap((name): [string, Hex][] => {
    const part = content[name as PartName]
    return part === undefined ? [] : [[name, Canonical.hash(part)]]
  })
  return Object.fromEntries(named)
}

/** Signs the digests of all parts (EIP-712). */
export async function seal(
  content: ReceiptContent,
  signer: Pick<Signer, 'getAddress' | 'signTypedData'>,
): Promise<Receipt> {
  const digests = digestsOf(content)
  const message = { taskId: content.task.taskId, content: Canonical.hash(digests) }
  const account = (await signer.getAddress()) as Address
  const signature = (await signer.signTypedData(domainOf(content), sealTypes, message)) as Hex
  return { ...content, seal: { account, digests, signature: signature.toLowerCase() as Hex } }
}

/** Throws ReceiptRefusedError naming the part that is not as it was sealed. */
export function expectSeal({ seal, ...content }: Receipt): void {
  const found = digestsOf(content)
  for (const name of new Set([...Object.keys(found), ...Object.keys(seal.digests)])) {
    if (found[name] !== seal.digests[name]) refuse(name, 'it is not as it was sealed')
  }
  const message = { taskId: content.task.taskId, content: Canonical.hash(seal.digests) }
  const digest = TypedDataEncoder.hash(domainOf(content), sealTypes, message)
  if (signerOf(digest, seal.signature) !== seal.account) {
    refuse('seal', `it is not signed by ${seal.account}, or chainId, hub or task were changed`)
  }
}

/** Who signed; undefined where the bytes are no signature of a key. */
export function signerOf(digest: string, signature: Hex): Address | undefined {
  try {
    return recoverAddress(digest, signature) as Address
  } catch {
    return undefined
  }
}
