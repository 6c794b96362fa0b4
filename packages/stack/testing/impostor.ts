// Somebody who talks to the secret service as an enclave does, with everything that a conspiring worker could hold: a
// genuine lease of the pool, and the simulated hardware. Each detail can be made a lie.
import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePlatform, replayRtmr3, simulateQuote } from '@sealdeal/attestation'
import { measureRuntime } from '@sealdeal/enclave'
import { type Address, BaseError, Bytes, type Hex, Lease, type Order, Session, Task } from '@sealdeal/protocol'
import { type HDNodeWallet, Wallet } from 'ethers'
import type { Stack } from '../stack.ts'

/** A service's own refusal, as it answers over HTTP: the error has the name that the service gave it. */
export class RefusedByServiceError extends BaseError {
  readonly status: number
  constructor({ name, reason, status }: { name: string; reason: string; status: number }) {
    super(reason)
    this.name = name
    this.status = status
  }
}

export type PrepareSessionParameters = {
  dealId: Hex
  index?: bigint
  /** sha256 of the app that is said to run. */
  checksum: Hex
  /** Signs the lease: the owner of the deal's pool. */
  lessor: Order.TypedDataSigner
  worker: Address
  /** To whom the lease was really given, where that is somebody else. */
  leasedTo?: Address
  attempt?: bigint
  /** Unix seconds. */
  expiry?: bigint
  /** A nonce to use in place of a fresh one. */
  nonce?: Hex
  /** What the quote is bound to, where that is not what the request says. */
  bound?: Partial<Session.Binding>
}

export type PreparedSession = { taskId: Hex; request: Session.Request /** Signs the result. */; enclave: HDNodeWallet }

/** A nonce for an attempt, as anyone gets one. */
export async function askNonce(
  { endpoints }: Stack,
  { dealId, index = 0n, attempt = 1n }: { dealId: Hex; index?: bigint; attempt?: bigint },
): Promise<Hex> {
  const body = { dealId, index: String(index), attempt: String(attempt) }
  const { nonce } = await post<{ nonce: Hex }>(new URL('/sessions/nonce', endpoints.sms), body)
  return nonce
}

/** Everything an enclave sends to be given the secrets of a task; honest but for what the parameters change. */
export async function prepareSession(stack: Stack, parameters: PrepareSessionParameters): Promise<PreparedSession> {
  const { dealId, index = 0n, checksum, lessor, worker, leasedTo = worker, attempt = 1n, bound } = parameters
  const { chainId, directory, deployment } = stack
  const { hub } = deployment
  const taskId = Task.id(dealId, index)
  const expiry = parameters.expiry ?? BigInt(Math.floor(Date.now() / 1000) + 60)
  const lease = { task: taskId, worker: leasedTo, attempt, expiry }
  const signature = await Lease.sign(lease, lessor, Lease.domain({ chainId, hub }))

  const { publicKey } = generateKeyPairSync('x25519')
  const enclaveKey = Bytes.toHex(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
  const enclave = Wallet.createRandom()
  const enclaveAddress = enclave.address as Address
  const nonce = parameters.nonce ?? (await askNonce(stack, { dealId, index, attempt }))
  const eventLog = [{ event: Session.appEvent, payload: checksum }]
  const platform = parsePlatform(JSON.parse(await readFile(join(directory, 'simulator', 'platform.json'), 'utf8')))
  const binding = { chainId, hub, taskId, attempt, worker, enclaveKey, enclaveAddress, nonce }
  const quote = await simulateQuote(platform, {
    mrTd: measureRuntime(),
    rtmr3: await replayRtmr3(eventLog),
    reportData: Session.reportData({ ...binding, ...bound }),
  })
  const request: Session.Request = {
    dealId,
    index: String(index),
    worker,
    lease: { attempt: String(attempt), expiry: String(expiry), signature },
    enclaveKey,
    enclaveAddress,
    nonce,
    quote: Bytes.toBase64(quote),
    eventLog,
  }
  return { taskId, request, enclave }
}

/**
 * Sends it.
 *
 * @throws RefusedByServiceError
 */
export function requestSession({ endpoints }: Stack, request: Session.Request): Promise<Session.Answer> {
  return post<Session.Answer>(new URL('/sessions', endpoints.sms), request)
}

async function post<Answer>(url: URL, body: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (response.ok) return answer as Answer
  throw new RefusedByServiceError({
    name: String(answer.name),
    reason: String(answer.error),
    status: response.status,
  })
}
