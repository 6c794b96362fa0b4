import type { Collateral, Policy } from '@sealdeal/attestation'
import { type Address, Bytes, Canonical, type Hex, Session } from '@sealdeal/protocol'
import type { Database, Transaction } from '@sealdeal/server'
import { getBytes, type Wallet } from 'ethers'
import { EvidenceNotFoundError } from './errors.ts'

/** What a quote was judged by, and when. */
export type Judgement = { collateral: Collateral; policy: Policy; at: Date }

type Judged = Omit<Session.Evidence, 'signature'>

/** Signs what a session is given on, as the key that authorizes its enclave. */
export async function signEvidence({
  signer,
  reportData,
  judged,
}: {
  signer: Pick<Wallet, 'signMessage'>
  reportData: Hex
  judged: Judged
}): Promise<Session.Evidence> {
  const hash = Session.evidenceHash(reportData, judged)
  return { ...judged, signature: (await signer.signMessage(getBytes(hash))) as Hex }
}

/** Keeps the evidence of a session, in the transaction that records the session. */
export async function recordEvidence(
  transaction: Transaction,
  { taskId, evidence }: { taskId: Hex; evidence: Session.Evidence },
): Promise<void> {
  const { attempt, quote, eventLog, collateral, policy, at, signature } = evidence
  const hash = Canonical.hash({ collateral, policy })
  await transaction.query(
    'insert into judgement (hash, collateral, policy) values ($1, $2, $3) on conflict do nothing',
    [hash, JSON.stringify(collateral), JSON.stringify(policy)],
  )
  await transaction.query(
    `insert into evidence (task_id, attempt, quote, event_log, judgement, at, signature)
      values ($1, $2, $3, $4, $5, $6, $7)`,
    [taskId, attempt, Bytes.fromBase64(quote), JSON.stringify(eventLog), hash, at, signature],
  )
}

/**
 * On what the enclave with this key was given its session.
 *
 * @throws EvidenceNotFoundError
 */
export async function readEvidence(
  database: Database,
  { taskId, enclaveAddress }: { taskId: Hex; enclaveAddress: Address },
): Promise<Session.Evidence> {
  const [row] = await database.query<{
    attempt: bigint
    worker: Address
    enclave_key: Hex
    nonce: Hex
    quote: Uint8Array
    event_log: Session.MeasuredEvent[]
    collateral: Record<string, string>
    policy: Record<string, unknown>
    at: Date
    signature: Hex
  }>(
    `select attempt, worker, enclave_key, nonce, quote, event_log, collateral, policy, at, signature
      from session join evidence using (task_id, attempt) join judgement on judgement.hash = evidence.judgement
      where task_id = $1 and enclave_address = $2`,
    [taskId, enclaveAddress],
  )
  if (!row) throw new EvidenceNotFoundError({ taskId, enclaveAddress })
  const { attempt, worker, enclave_key: enclaveKey, nonce, event_log: eventLog, collateral, policy, signature } = row
  return {
    attempt: String(attempt),
    worker,
    enclaveKey,
    enclaveAddress,
    nonce,
    quote: Bytes.toBase64(row.quote),
    eventLog,
    collateral,
    policy,
    at: row.at.toISOString(),
    signature,
  }
}
