/** Proves what this enclave is to the secret service, and opens what it answers. */
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import { type Address, Bytes, type Hex, Session, Task } from '@sealdeal/protocol'
import { getBytes, verifyMessage } from 'ethers'
import { z } from 'zod'
import { type Cause, EnclaveFailureError, orFail } from './failures.ts'
import type { Keys } from './keys.ts'

/** What the session is about; numbers as the chain has them. */
export type Subject = {
  chainId: bigint
  hub: Address
  dealId: Hex
  index: bigint
  worker: Address
  lease: { attempt: bigint; expiry: bigint; signature: Hex }
  app: { address: Address; checksum: Hex }
}

/** Makes a quote that carries 64 bytes of report data. */
export type Quote = (reportData: Hex) => Promise<Uint8Array> | Uint8Array

const maxSeconds = 30
const bytes = (length: number) =>
  z.templateLiteral(['0x', z.string().regex(new RegExp(`^[0-9a-fA-F]{${2 * length}}$`))])
const address = bytes(20).transform((text): Address => text)
const bytes32 = bytes(32).transform((text): Hex => text)
const hex = z.templateLiteral(['0x', z.string().regex(/^([0-9a-fA-F]{2})*$/)]).transform((text): Hex => text)
const decimal = z.string().regex(/^\d+$/)

const Nonce = z.object({ nonce: bytes32, signer: address, seed: bytes32 })
const Answer = z.object({
  sealed: z.object({ enc: z.base64(), ciphertext: z.base64() }),
  signature: hex,
  authorization: hex,
})
const Dataset = z.object({ address, multiaddr: hex, checksum: bytes32, key: z.string() })
const Content = z.object({
  chainId: decimal,
  hub: address,
  dealId: bytes32,
  index: decimal,
  taskId: bytes32,
  worker: address,
  requester: address,
  beneficiary: address,
  callback: address,
  tag: bytes32,
  maxSeconds: z.number().positive(),
  botFirst: decimal,
  botSize: decimal,
  app: z.object({ address, type: z.string(), multiaddr: hex, checksum: bytes32 }),
  dataset: Dataset.optional(),
  datasets: z.array(Dataset).optional(),
  leftOut: z.array(z.object({ address, reason: z.string() })).optional(),
  params: z.string(),
  secrets: z.object({ app: z.string().optional(), requester: z.record(z.string().regex(/^[1-9]\d*$/), z.string()) }),
  resultKey: z.string().optional(),
})

/**
 * A nonce for this task, to be bound into the quote, and whose it is: the service that made it will refuse a quote over
 * any other, so that an authorization of the Hub's TEE broker is never made for an enclave that listens to somebody else.
 *
 * @throws EnclaveFailureError `TEE_SESSION_…`
 */
export async function fetchNonce({ smsUrl, subject }: { smsUrl: string; subject: Subject }): Promise<NonceOfSigner> {
  const { dealId, index, lease } = subject
  const body = { dealId, index: String(index), attempt: String(lease.attempt) }
  const { nonce, signer, seed } = parse(Nonce, await post({ url: new URL('/sessions/nonce', smsUrl), body }))
  if (nonce.toLowerCase() !== Session.nonceOf({ signer, seed })) {
    throw malformed('The nonce of the secret service does not name who made it.')
  }
  return { nonce, signer }
}

/** Who will sign the answer. */
type NonceOfSigner = { nonce: Hex; signer: Address }

/**
 * Binds both keys, the task and the nonce into a quote, sends it, opens the sealed answer and checks that it is from the
 * service that made the nonce, and about this task and this app. All of it passes through the worker's hands.
 *
 * @throws EnclaveFailureError `TEE_SESSION_REFUSED` (the service says no, with its reason), `TEE_SESSION_GENERATION_FAILED`
 * (it cannot be reached), `TEE_SESSION_MALFORMED` (its answer cannot be opened or is about something else)
 */
export async function openSession({
  smsUrl,
  subject,
  keys,
  nonce: { nonce, signer },
  quote,
  eventLog,
}: {
  smsUrl: string
  subject: Subject
  keys: Keys
  nonce: NonceOfSigner
  quote: Quote
  eventLog: Session.MeasuredEvent[]
}): Promise<{ content: Session.Content; authorization: Hex }> {
  const { chainId, hub, dealId, index, worker, lease } = subject
  const { enclaveKey, enclaveAddress } = keys
  const taskId = Task.id(dealId, index)
  const info = Session.reportData({
    ...{ chainId, hub, taskId, worker, enclaveKey, enclaveAddress, nonce },
    attempt: lease.attempt,
  })
  const evidence = await orFail('TEE_QUOTE_FAILED', 'The platform made no quote.', () => quote(info))
  const body: Session.Request = {
    dealId,
    index: String(index),
    worker,
    lease: { attempt: String(lease.attempt), expiry: String(lease.expiry), signature: lease.signature },
    ...{ enclaveKey, enclaveAddress, nonce },
    quote: Bytes.toBase64(evidence),
    eventLog,
  }
  const answer = parse(Answer, await post({ url: new URL('/sessions', smsUrl), body }))
  const { sealed, signature, authorization } = answer
  if (signerOf({ hash: Session.sealedHash({ reportData: info, sealed }), signature }) !== signer.toLowerCase()) {
    throw malformed('The answer is not signed by the secret service that made the nonce.')
  }
  const content = await open({ sealed, info, keys })
  check({ content, subject, taskId })
  return { content, authorization }
}

function signerOf({ hash, signature }: { hash: Hex; signature: Hex }): string | undefined {
  try {
    return verifyMessage(getBytes(hash), signature).toLowerCase()
  } catch {
    return undefined
  }
}

/** HPKE (RFC 9180), base mode: DHKEM X25519 HKDF-SHA256, HKDF-SHA256, AES-256-GCM; `info` = the report data. */
async function open({
  sealed,
  info,
  keys,
}: {
  sealed: Session.Answer['sealed']
  info: Hex
  keys: Keys
}): Promise<Session.Content> {
  const suite = new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  })
  return orFail(
    'TEE_SESSION_MALFORMED',
    'The answer of the secret service cannot be opened with this key.',
    async () => {
      const recipient = await suite.createRecipientContext({
        recipientKey: keys.opener,
        enc: Bytes.fromBase64(sealed.enc),
        info: Bytes.fromHex(info),
      })
      const plain = await recipient.open(Bytes.fromBase64(sealed.ciphertext))
      const { dataset, datasets, leftOut, secrets, resultKey, ...rest } = Content.parse(
        JSON.parse(new TextDecoder().decode(plain)),
      )
      return {
        ...rest,
        secrets: { requester: secrets.requester, ...(secrets.app !== undefined && { app: secrets.app }) },
        ...(dataset !== undefined && { dataset }),
        ...(datasets !== undefined && { datasets }),
        ...(leftOut !== undefined && { leftOut }),
        ...(resultKey !== undefined && { resultKey }),
      }
    },
  )
}

function check({ content, subject, taskId }: { content: Session.Content; subject: Subject; taskId: Hex }) {
  const pairs: [string, string, string][] = [
    ['chainId', content.chainId, String(subject.chainId)],
    ['hub', content.hub, subject.hub],
    ['dealId', content.dealId, subject.dealId],
    ['index', content.index, String(subject.index)],
    ['taskId', content.taskId, taskId],
    ['worker', content.worker, subject.worker],
    ['app.address', content.app.address, subject.app.address],
    ['app.checksum', content.app.checksum, subject.app.checksum],
  ]
  const wrong = pairs.find(([, actual, expected]) => actual.toLowerCase() !== expected.toLowerCase())
  if (wrong === undefined) return
  throw malformed(`The secret service answered about another ${wrong[0]}: ${wrong[1]} instead of ${wrong[2]}.`)
}

async function post({ url, body }: { url: URL; body: unknown }): Promise<unknown> {
  const unreachable = (reason: string) =>
    new EnclaveFailureError({
      failure: 'TEE_SESSION_GENERATION_FAILED',
      message: `The secret service at ${url.origin} ${reason}.`,
    })
  let response: Response
  let answer: unknown
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(maxSeconds * 1000),
    })
    answer = await response.json().catch(() => undefined)
  } catch {
    throw unreachable('cannot be reached')
  }
  if (response.ok) return answer
  if (response.status >= 500 || response.status === 429) throw unreachable(`answered with status ${response.status}`)
  throw refused({ status: response.status, answer })
}

/** Refusals that have a name of their own in the ecosystem. */
const named: Record<string, Cause> = {
  BulkListMalformedError: 'PRE_COMPUTE_TASK_DESCRIPTION_INVALID',
  DatasetKeyNotFoundError: 'PRE_COMPUTE_GET_DATASET_SECRET_FAILED',
  NoDatasetLeftError: 'PRE_COMPUTE_GET_DATASET_SECRET_FAILED',
  RequesterSecretNotFoundError: 'PRE_COMPUTE_GET_REQUESTER_SECRET_FAILED',
  ResultKeyNotFoundError: 'POST_COMPUTE_GET_ENCRYPTION_TOKENS_FAILED_EMPTY_BENEFICIARY_KEY',
  RequestUnreadableError: 'PRE_COMPUTE_TASK_DESCRIPTION_INVALID',
}

/** Error bodies of our servers: `{ error: "text", name?, remedies? }`. */
const Refusal = z.object({ error: z.string(), name: z.string().default(''), remedies: z.array(z.string()).default([]) })

function refused({ status, answer }: { status: number; answer: unknown }): EnclaveFailureError {
  const { error, name, remedies } = Refusal.catch({ error: `status ${status}`, name: '', remedies: [] }).parse(answer)
  return new EnclaveFailureError({
    failure: named[name] ?? 'TEE_SESSION_REFUSED',
    message: `The secret service refused: ${error}`,
    remedies,
    // Another attempt has another nonce, lease and session.
    retryable: ['NonceExpiredError', 'NonceUsedError', 'LeaseExpiredError', 'SessionExistsError'].includes(name),
  })
}

function parse<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer)
  if (result.success) return result.data
  throw malformed('The secret service answered in a form this enclave does not know.')
}

function malformed(message: string): EnclaveFailureError {
  return new EnclaveFailureError({ failure: 'TEE_SESSION_MALFORMED', message })
}
