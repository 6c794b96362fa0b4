import {
  type PolicyInput,
  PolicyInvalidError,
  QuoteRefusedError,
  type Verdict,
  verifyQuote,
} from '@sealdeal/attestation'
import {
  type Address,
  Asset,
  Bytes,
  Contracts,
  Deal,
  type Hex,
  Inclusion,
  Order,
  Session,
  Tag,
  Task,
  zeroAddress,
  zeroHash,
} from '@sealdeal/protocol'
import { hashMessage, type LogDescription } from 'ethers'
import { expectSeal, type Receipt, receiptSchema, refuse, signerOf } from './receipt.ts'

export type VerifyReceiptParameters = {
  /** The file's content, parsed or as text. */
  receipt: unknown
  /** Whom you believe about enclaves; otherwise the policy that the secret service had, which the verdict repeats. */
  policy?: PolicyInput
  /** Refused unless it is of this chain and Hub. */
  chainId?: bigint
  hub?: Address
}

/** What a receipt proves. Compare `blocks` with the chain, or with a node that you trust: all of it hangs on them. */
export type ReceiptVerdict = {
  chainId: bigint
  hub: Address
  taskId: Hex
  dealId: Hex
  requester: Address
  beneficiary: Address
  app: { address: Address; name: string; checksum: Hex }
  dataset?: { address: Address; name: string; checksum: Hex }
  /** Whose key signed each order; absent where a contract did, which only the chain can tell. */
  signers: Partial<Record<Order.Kind, Address>>
  blocks: { number: bigint; hash: Hex; timestamp: bigint }[]
  resultDigest: Hex
  payouts: Receipt['payouts']
  /** Absent where the deal asked for no enclave. */
  enclave?: { address: Address; authorizedBy: Address; verdict: Verdict }
  /** Who exported it. */
  sealedBy: Address
}

type Event = { name: string; args: LogDescription['args'] }

/**
 * Verifies a receipt offline: no chain, no service, no clock; also in browsers.
 *
 * @throws ReceiptRefusedError naming the part that is wrong.
 *
 * @example
 * const { blocks, enclave, payouts } = await verifyReceipt({ receipt: await file.text() })
 */
export async function verifyReceipt(parameters: VerifyReceiptParameters): Promise<ReceiptVerdict> {
  const receipt = read(parameters.receipt)
  const { chainId, hub, task, result } = receipt
  if (parameters.chainId !== undefined && BigInt(chainId) !== parameters.chainId) refuse('chainId', `it is ${chainId}`)
  if (parameters.hub !== undefined && hub !== parameters.hub) refuse('hub', `it is ${hub}`)
  const { blocks, events } = await openBlocks(receipt)
  const { request, signers } = expectOrders(receipt, events)
  expectAssets(receipt, request)
  expectResult(receipt, events)
  expectPayouts(receipt, request, events)
  const enclave = await expectEnclave(receipt, parameters.policy)
  expectSeal(receipt)
  const { app, dataset } = receipt.assets
  return {
    chainId: BigInt(chainId),
    hub,
    taskId: task.taskId,
    dealId: task.dealId,
    requester: request.requester,
    beneficiary: request.beneficiary,
    app: { address: request.app, name: app.name, checksum: app.checksum },
    ...(dataset && { dataset: { address: datasetOf(receipt), name: dataset.name, checksum: dataset.checksum } }),
    signers,
    blocks,
    resultDigest: result.digest,
    payouts: receipt.payouts,
    ...(enclave && { enclave }),
    sealedBy: receipt.seal.account,
  }
}

function read(given: unknown): Receipt {
  let value = given
  try {
    if (typeof given === 'string') value = JSON.parse(given)
  } catch (cause) {
    refuse('file', 'it is not JSON', cause)
  }
  const parsed = receiptSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return refuse(issue?.path.join('.') || 'file', issue?.message ?? 'it is no receipt')
}

/** Every event of the Hub in the receipts that were proved, in the order of the chain. */
async function openBlocks({ blocks, hub }: Receipt) {
  const events: Event[] = []
  const opened: ReceiptVerdict['blocks'] = []
  for (const [position, { header, receipts }] of blocks.entries()) {
    const part = `blocks.${position}`
    const { hash, receiptsRoot, number, timestamp } = attempt(`${part}.header`, () => Inclusion.decodeHeader(header))
    if (number <= (opened.at(-1)?.number ?? -1n)) refuse(part, 'blocks are not in their order')
    opened.push({ number, hash, timestamp })
    for (const [at, { index, proof }] of receipts.entries()) {
      const logs = await Inclusion.provenLogs({ receiptsRoot, index, proof }).catch((cause: unknown) =>
        refuse(`${part}.receipts.${at}`, 'it is not part of the block', cause),
      )
      const own = logs.filter(({ address }) => address === hub)
      events.push(...own.flatMap((log) => Contracts.parseLog(log) ?? []))
    }
  }
  return { blocks: opened, events }
}

/** The deal is of these four orders, and the task is one of the deal. */
function expectOrders({ chainId, hub, task, orders }: Receipt, events: Event[]) {
  const domain = Order.domain({ chainId: BigInt(chainId), hub })
  const { dealId, taskId, index, botFirst } = task
  const matched = events.find(({ name, args }) => name === 'OrdersMatched' && args.dealid === dealId)
  if (!matched) refuse('task.dealId', 'no block tells of a match that made this deal')
  const signers: ReceiptVerdict['signers'] = {}
  const signed = <kind extends Order.Kind>(kind: kind): Order.Signed<kind> | undefined => {
    const json = orders[kind]
    const expected = matched.args[`${kind}Hash`]
    if (json === undefined) return expected === zeroHash ? undefined : refuse(`orders.${kind}`, 'it is missing')
    const read = attempt(`orders.${kind}`, () => Order.fromJson(kind, json))
    const hash = Order.hash(kind, read, domain)
    if (hash !== expected) refuse(`orders.${kind}`, `the deal is of order ${expected}, and this is ${hash}`)
    const signer = signerOf(hash, read.sign)
    if (signer !== undefined) signers[kind] = signer
    return read
  }
  for (const kind of Order.kinds) signed(kind)
  const request = signed('request') ?? refuse('orders.request', 'it is missing')
  const first = BigInt(botFirst)
  if (Deal.id(matched.args.requestHash, first) !== dealId) refuse('task.botFirst', 'the deal begins elsewhere')
  if (Task.id(dealId, BigInt(index)) !== taskId) refuse('task.taskId', `it is not task ${index} of the deal`)
  if (BigInt(index) < first || BigInt(index) >= first + matched.args.volume) {
    refuse('task.index', `the deal has ${matched.args.volume} tasks from ${first} on`)
  }
  return { request, signers }
}

/** What ran, and on what: an address has one set of fields. */
function expectAssets({ assets, orders }: Receipt, request: Order.Request): void {
  if (attempt('assets.app', () => Asset.appAddress(assets.app, assets.app)) !== request.app) {
    refuse('assets.app', `app ${request.app} does not have these fields`)
  }
  const dataset = orders.dataset?.dataset?.toLowerCase()
  if ((dataset === undefined) !== (assets.dataset === undefined)) refuse('assets.dataset', 'it does not fit the deal')
  const { dataset: fields } = assets
  if (fields && attempt('assets.dataset', () => Asset.datasetAddress(fields, fields)).toLowerCase() !== dataset) {
    refuse('assets.dataset', `dataset ${dataset} does not have these fields`)
  }
}

/** The task was finalized, with this digest, by these workers. */
function expectResult({ task, result }: Receipt, events: Event[]): void {
  const own = events.filter(({ args }) => args.taskid === task.taskId)
  const finalized = own.find(({ name }) => name === 'TaskFinalize')
  if (!finalized) refuse('task.taskId', 'no block tells that it was finalized')
  if (finalized.args.results !== result.location) refuse('result.location', 'the chain has another')
  const revealed = own.filter(({ name, args }) => name === 'TaskReveal' && args.digest === result.digest)
  if (revealed.length === 0) refuse('result.digest', 'no worker revealed it')
  const workers = revealed.map(({ args }) => args.worker as string)
  if (String(workers) !== String(result.workers)) refuse('result.workers', `it was revealed by ${workers.join(', ')}`)
  const consensus = own.findLast(({ name }) => name === 'TaskConsensus')
  if (consensus?.args.consensus !== Task.resultHash(task.taskId, result.digest)) {
    refuse('result.digest', 'it is not what workers agreed on')
  }
}

function expectPayouts({ task, payouts }: Receipt, { requester }: Order.Request, events: Event[]): void {
  const paid = payoutsOf({ ...task, requester }, events)
  if (JSON.stringify(paid) !== JSON.stringify(payouts)) refuse('payouts', 'the chain paid otherwise')
}

/** Who paid, lost and earned when the task was finalized: from the Hub's events that name it. */
export function payoutsOf(
  { taskId, dealId, requester }: { taskId: Hex; dealId: Hex; requester: Address },
  events: readonly Event[],
): Receipt['payouts'] {
  const sponsored = events.find(({ name, args }) => name === 'DealSponsored' && args.dealId === dealId)
  const payer = sponsored?.args.sponsor ?? requester
  return events.flatMap(({ name, args }): Receipt['payouts'] => {
    if ((name !== 'Seize' && name !== 'Reward') || args.ref !== taskId) return []
    const account = args.owner as Address
    const movement = name === 'Reward' ? 'earned' : account === payer ? 'paid' : 'lost'
    return [{ movement, account, amount: String(args.amount) }]
  })
}

/** The result was signed inside an enclave that the policy believes, and its app was the one of the deal. */
async function expectEnclave(receipt: Receipt, policy: PolicyInput | undefined): Promise<ReceiptVerdict['enclave']> {
  const { enclave, evidence, task, result, orders } = receipt
  if (!enclave || !evidence) {
    const tags = [orders.app, orders.dataset, orders.request].map((order) => (order?.tag ?? zeroHash) as Hex)
    if (tags.some(Tag.isTee)) refuse(enclave ? 'evidence' : 'enclave', 'the deal asks for one')
    if (enclave) refuse('evidence', 'it is missing')
    if (evidence) refuse('enclave', 'it is missing')
    return undefined
  }
  const { worker } = enclave
  if (!result.workers.includes(worker)) refuse('enclave.worker', 'it did not give this result')
  if (enclave.digest !== result.digest) refuse('enclave.digest', 'it is not the one of the result')
  const hashes = [
    Task.enclaveHash(worker, task.taskId, enclave.digest),
    Task.settlementHash(worker, task.taskId, enclave.digest),
  ]
  if (!hashes.some((hash) => signerOf(hashMessage(Bytes.fromHex(hash)), enclave.signature) === enclave.address)) {
    refuse('enclave.signature', `it is not by the enclave ${enclave.address}`)
  }
  const authorized = hashMessage(Bytes.fromHex(Task.authorizationHash(worker, task.taskId, enclave.address)))
  const authorizedBy =
    signerOf(authorized, enclave.authorization) ?? refuse('enclave.authorization', 'it is no signature')
  if (evidence.worker !== worker) refuse('evidence.worker', 'it is of another worker')
  if (evidence.enclaveAddress !== enclave.address) refuse('evidence.enclaveAddress', 'it is of another enclave')
  const verdict = await judge(receipt, evidence, authorizedBy, policy)
  return { address: enclave.address, authorizedBy, verdict }
}

async function judge(
  { chainId, hub, task, assets }: Receipt,
  evidence: Session.Evidence,
  authorizedBy: Address,
  policy: PolicyInput | undefined,
): Promise<Verdict> {
  const { eventLog, quote, collateral } = evidence
  const reportData = Session.reportData({
    ...evidence,
    chainId: BigInt(chainId),
    hub,
    taskId: task.taskId,
    attempt: BigInt(evidence.attempt),
  })
  const signed = hashMessage(Bytes.fromHex(Session.evidenceHash(reportData, evidence)))
  const signer = signerOf(signed, evidence.signature)
  const last = eventLog.at(-1)
  if (last?.event !== Session.appEvent || last.payload !== assets.app.checksum) {
    refuse('evidence.eventLog', 'the app that was measured last is not the one of the deal')
  }
  try {
    const verdict = await verifyQuote({
      quote: Bytes.fromBase64(quote),
      collateral: collateral as Parameters<typeof verifyQuote>[0]['collateral'],
      policy: policy ?? (evidence.policy as PolicyInput),
      at: new Date(evidence.at),
      reportData,
      events: eventLog,
    })
    if (signer !== authorizedBy)
      refuse('evidence.signature', `it is not by ${authorizedBy}, who authorized the enclave`)
    return verdict
  } catch (error) {
    if (error instanceof PolicyInvalidError && policy === undefined) {
      return refuse('evidence.policy', error.shortMessage, error)
    }
    if (!(error instanceof QuoteRefusedError)) throw error
    return refuse(error.rule === 'report-data' ? 'evidence.quote' : 'evidence', error.shortMessage, error)
  }
}

function datasetOf({ orders }: Receipt): Address {
  return Order.fromJson('dataset', orders.dataset ?? { dataset: zeroAddress }).dataset
}

function attempt<Value>(part: string, work: () => Value): Value {
  try {
    return work()
  } catch (cause) {
    return refuse(
      part,
      cause instanceof Error ? (cause.message.split('\n')[0]?.replace(/\.$/, '') ?? '') : String(cause),
      cause,
    )
  }
}
