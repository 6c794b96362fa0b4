import { randomBytes } from 'node:crypto'
import type { Verdict } from '@sealdeal/attestation'
import { type Address, Bytes, type Deal, type Hex, Lease, Session, Task } from '@sealdeal/protocol'
import type { Database } from '@sealdeal/server'
import { getBytes, type Wallet } from 'ethers'
import type { Attest, Judged } from './attest.ts'
import { append, type SecretName } from './auditLog.ts'
import type { BulkList } from './bulkList.ts'
import type { Chain } from './chain.ts'
import { collectContent } from './content.ts'
import { expectDeal } from './deal.ts'
import {
  AppMeasurementMismatchError,
  LeaseExpiredError,
  LeaseRefusedError,
  NonceExpiredError,
  NonceUnknownError,
  NonceUsedError,
  SessionExistsError,
} from './errors.ts'
import { readEvidence, recordEvidence, signEvidence } from './evidence.ts'
import { seal } from './seal.ts'
import { type SecretId, type Secrets, secretName } from './secrets.ts'
import { isRefusal } from './statuses.ts'

/** Which attempt at which task. */
export type Attempt = { dealId: Hex; index: bigint; attempt: bigint }

/** What an enclave says of itself and its task: `Session.Request`, read. */
export type SessionRequest = {
  dealId: Hex
  index: bigint
  worker: Address
  lease: { attempt: bigint; expiry: bigint; signature: Hex }
  enclaveKey: Hex
  enclaveAddress: Address
  nonce: Hex
  quote: Uint8Array
  eventLog: Session.MeasuredEvent[]
}

/** Releases secrets to enclaves: at most one session for each attempt at a task. */
export type Sessions = {
  /** A nonce to bind into a quote, good for one session of this attempt, for two minutes. */
  issueNonce(attempt: Attempt): Promise<Session.NonceAnswer>
  /** The secrets of one task, sealed to the enclave, and the authorization of its signing key. */
  open(request: SessionRequest): Promise<Session.Answer & { simulated: boolean }>
  /** On what the enclave with this key was given its session. */
  evidence(of: { taskId: Hex; enclaveAddress: Address }): Promise<Session.Evidence>
}

const nonceLife = 120_000

/**
 * The release decision. Every clause must hold, in this order, and each has its own error: nonce, deal, task, tag, lease,
 * quote (chain of trust, runtime, binding, event log), app, secrets, one session for each attempt.
 */
export function createSessions({
  database,
  secrets,
  chain,
  bulkList,
  attest,
  signer,
  clock,
}: {
  database: Database
  secrets: Secrets
  chain: Chain
  bulkList: BulkList
  attest: Attest
  /** The Hub's TEE broker. */
  signer: Pick<Wallet, 'address' | 'signMessage'>
  clock: () => Date
}): Sessions {
  async function issueNonce({ dealId, index, attempt }: Attempt): Promise<Session.NonceAnswer> {
    const claim = { signer: signer.address as Address, seed: Bytes.toHex(randomBytes(32)) }
    const nonce = Session.nonceOf(claim)
    const now = clock()
    await database.query(
      `delete from session_nonce where nonce in
        (select nonce from session_nonce where expires_at < $1 limit 100 for update skip locked)`,
      [new Date(now.getTime() - nonceLife)],
    )
    await database.query('insert into session_nonce (nonce, task_id, attempt, expires_at) values ($1, $2, $3, $4)', [
      nonce,
      Task.id(dealId, index),
      attempt,
      new Date(now.getTime() + nonceLife),
    ])
    return { nonce, ...claim }
  }

  async function open(request: SessionRequest): Promise<Session.Answer & { simulated: boolean }> {
    const taskId = Task.id(request.dealId, request.index)
    await expectNonce({ request, taskId })
    await expectUnopened({ request, taskId })
    const facts = await expectDeal({ chain, dealId: request.dealId, index: request.index })
    await expectLease({ request, taskId, deal: facts.deal })
    try {
      return await release({ request, taskId, ...facts })
    } catch (error) {
      if (error instanceof Error && isRefusal(error)) await auditRefusal({ request, taskId, reason: error.name })
      throw error
    }
  }

  async function release({
    request,
    taskId,
    deal,
    maxSeconds,
  }: {
    request: SessionRequest
    taskId: Hex
    deal: Deal.Deal
    maxSeconds: number
  }) {
    const info = reportData({ request, taskId })
    const { quote, eventLog, enclaveKey, enclaveAddress, worker } = request
    const at = clock()
    const judged = await attest({ quote, events: eventLog, reportData: info, at })
    const app = await chain.viewApp(deal.app.pointer)
    expectApp({ eventLog, app: deal.app.pointer, checksum: app.checksum })
    const released: SecretName[] = []
    const noting = notingReads(secrets, released)
    const content = await collectContent({ chain, secrets: noting, bulkList, request, taskId, deal, app, maxSeconds })
    const sealed = await seal({ content, enclaveKey, info })
    const hash = Task.authorizationHash(worker, taskId, enclaveAddress)
    const authorization = (await signer.signMessage(getBytes(hash))) as Hex
    const sealedHash = Session.sealedHash({ reportData: info, sealed })
    const signature = (await signer.signMessage(getBytes(sealedHash))) as Hex
    const evidence = await signEvidence({ signer, reportData: info, judged: evidenceOf({ request, judged, at }) })
    await record({ request, taskId, verdict: judged.verdict, evidence, released })
    return { sealed, signature, authorization, simulated: judged.verdict.simulated }
  }

  async function expectNonce({ request, taskId }: { request: SessionRequest; taskId: Hex }): Promise<void> {
    const { nonce, lease } = request
    const [row] = await database.query<{ expires_at: Date; used_at: Date | null }>(
      'select expires_at, used_at from session_nonce where nonce = $1 and task_id = $2 and attempt = $3',
      [nonce, taskId, lease.attempt],
    )
    if (!row) throw new NonceUnknownError({ nonce })
    if (row.used_at) throw new NonceUsedError({ nonce })
    if (row.expires_at <= clock()) throw new NonceExpiredError({ nonce, expiresAt: row.expires_at })
  }

  async function expectUnopened({ request, taskId }: { request: SessionRequest; taskId: Hex }): Promise<void> {
    const { attempt } = request.lease
    const rows = await database.query('select 1 from session where task_id = $1 and attempt = $2', [taskId, attempt])
    if (rows.length > 0) throw new SessionExistsError({ taskId, attempt })
  }

  async function expectLease({
    request,
    taskId,
    deal,
  }: {
    request: SessionRequest
    taskId: Hex
    deal: Deal.Deal
  }): Promise<void> {
    const { worker, lease } = request
    const { attempt, expiry, signature } = lease
    const { owner } = deal.workerpool
    const digest = Lease.hash({ task: taskId, worker, attempt, expiry }, Lease.domain(chain))
    if (!(await chain.isSignedBy({ account: owner, digest, signature }))) {
      throw new LeaseRefusedError({ taskId, worker, owner })
    }
    const now = BigInt(Math.floor(clock().getTime() / 1000))
    if (expiry <= now) throw new LeaseExpiredError({ expiry, now })
  }

  function reportData({ request, taskId }: { request: SessionRequest; taskId: Hex }): Hex {
    const { worker, lease, enclaveKey, enclaveAddress, nonce } = request
    const { chainId, hub } = chain
    const { attempt } = lease
    return Session.reportData({ chainId, hub, taskId, attempt, worker, enclaveKey, enclaveAddress, nonce })
  }

  /** Uses the nonce up and takes the attempt's only session, or throws: of two at once, one wins. */
  async function record({
    request,
    taskId,
    verdict,
    evidence,
    released,
  }: {
    request: SessionRequest
    taskId: Hex
    verdict: Verdict
    evidence: Session.Evidence
    released: readonly SecretName[]
  }): Promise<void> {
    const { dealId, index, worker, lease, enclaveKey, enclaveAddress, nonce } = request
    const { attempt } = lease
    await database.transaction(async (transaction) => {
      const used = await transaction.query(
        'update session_nonce set used_at = $2 where nonce = $1 and used_at is null returning 1',
        [nonce, clock()],
      )
      if (used.length === 0) throw new NonceUsedError({ nonce })
      const opened = await transaction.query(
        `insert into session (task_id, attempt, deal_id, index, worker, enclave_key, enclave_address, nonce, measurement,
          simulated) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (task_id, attempt) do nothing returning 1`,
        [
          taskId,
          attempt,
          dealId,
          index,
          worker,
          enclaveKey,
          enclaveAddress,
          nonce,
          measurementOf(verdict),
          verdict.simulated,
        ],
      )
      if (opened.length === 0) throw new SessionExistsError({ taskId, attempt })
      await recordEvidence(transaction, { taskId, evidence })
      const secrets = released
      await append(transaction, { ...happeningOf({ request, taskId }), outcome: 'done', secrets })
    })
  }

  async function auditRefusal({
    request,
    taskId,
    reason,
  }: {
    request: SessionRequest
    taskId: Hex
    reason: string
  }): Promise<void> {
    await database.transaction((transaction) =>
      append(transaction, { ...happeningOf({ request, taskId }), outcome: 'refused', secrets: [], reason }),
    )
  }

  return { issueNonce, open, evidence: (of) => readEvidence(database, of) }
}

function happeningOf({ request: { worker, lease, enclaveAddress }, taskId }: { request: SessionRequest; taskId: Hex }) {
  return { action: 'session', actor: worker, taskId, attempt: lease.attempt, enclaveAddress } as const
}

/** The same secrets; the name of each that was read is put into `released`. */
function notingReads(secrets: Secrets, released: SecretName[]): Secrets {
  async function read(id: SecretId): Promise<string | undefined> {
    const value = await secrets.read(id)
    if (value !== undefined) released.push(secretName(id))
    return value
  }
  return { ...secrets, read }
}

function evidenceOf({
  request,
  judged: { collateral, policy },
  at,
}: {
  request: SessionRequest
  judged: Judged
  at: Date
}): Omit<Session.Evidence, 'signature'> {
  const { worker, lease, enclaveKey, enclaveAddress, nonce, quote, eventLog } = request
  const attempt = String(lease.attempt)
  const said = { worker, attempt, enclaveKey, enclaveAddress, nonce, quote: Bytes.toBase64(quote), eventLog }
  return { ...said, collateral, policy, at: at.toISOString() }
}

/** The enclave extends the app last, so nothing that ran before it could have stood in its place. */
function expectApp({
  eventLog,
  app,
  checksum,
}: {
  eventLog: Session.MeasuredEvent[]
  app: Address
  checksum: Hex
}): void {
  const last = eventLog.at(-1)
  const measured = last ? `${last.event}:${last.payload}` : 'nothing'
  if (last?.event !== Session.appEvent || last.payload.toLowerCase() !== checksum.toLowerCase()) {
    throw new AppMeasurementMismatchError({ app, measured, checksum })
  }
}

function measurementOf({ measurements }: Verdict): string {
  return measurements.tee === 'tdx' ? measurements.mrTd : measurements.mrEnclave
}
