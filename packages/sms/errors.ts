import { type Address, BaseError, type Hex } from '@sealdeal/protocol'

/* SECRETS */

/** The `Authorization` header was not made by the one who may store this secret. */
export class SecretNotAuthorizedError extends BaseError {
  override name = 'SecretNotAuthorizedError'
  constructor({ owner, reason }: { owner: Address; reason: string }) {
    super(`This secret of "${owner}" cannot be stored: ${reason}.`, {
      metaMessages: ['Sign the hash of the secret (EIP-191) with the wallet that owns it.'],
      docsPath: '/secrets#authorization',
    })
  }
}

/** A write-once secret is there already. */
export class SecretExistsError extends BaseError {
  override name = 'SecretExistsError'
  constructor({ kind, owner }: { kind: string; owner: Address }) {
    super(`A secret of this ${kind} "${owner}" is stored already and cannot be replaced.`, {
      docsPath: '/secrets#write-once',
    })
  }
}

/** The signature stored this secret before: whoever has seen it could bring an older value back. */
export class SecretAuthorizationSpentError extends BaseError {
  override name = 'SecretAuthorizationSpentError'
  constructor({ owner }: { owner: Address }) {
    super(`This signature over a secret of "${owner}" was used before, and counts once.`, {
      metaMessages: ['Sign the request itself, which may name the same value again: the SDK does.'],
      docsPath: '/secrets#authorization',
    })
  }
}

/** Its owner deleted it. */
export class SecretDeletedError extends BaseError {
  override name = 'SecretDeletedError'
  constructor({ kind, owner }: { kind: string; owner: Address }) {
    super(`The secret of this ${kind} "${owner}" was deleted by its owner.`, {
      metaMessages: ['It can never be stored again: protect the data, or deploy the app, anew.'],
      docsPath: '/secrets#delete',
    })
  }
}

/** No such secret is stored. */
export class SecretNotFoundError extends BaseError {
  override name = 'SecretNotFoundError'
  constructor({ kind, owner }: { kind: string; owner: Address }) {
    super(`No such secret of ${kind} "${owner}" is stored.`, { docsPath: '/secrets' })
  }
}

/** Nothing says whether the platform of a quote is still to be trusted. */
export class CollateralUnavailableError extends BaseError {
  override name = 'CollateralUnavailableError'
  constructor({
    tee,
    fmspc,
    authority,
    url,
    reason,
    cause,
  }: { tee: string; fmspc: string; authority: string; url: string; reason: string; cause?: unknown }) {
    super(
      `There is no collateral for ${tee.toUpperCase()} platforms of the family ${fmspc} (${authority}): ${reason}.`,
      {
        metaMessages: [
          `Asked was ${url}`,
          'Look whether the service answers there, and whether it knows this family of processors.',
        ],
        docsPath: '/attestation#collateral-unavailable',
        cause,
      },
    )
  }
}

/** No session of this task was given to an enclave with this key. */
export class EvidenceNotFoundError extends BaseError {
  override name = 'EvidenceNotFoundError'
  constructor({ taskId, enclaveAddress }: { taskId: Hex; enclaveAddress: Address }) {
    super(`No enclave with key "${enclaveAddress}" was given a session of task ${taskId}.`, {
      metaMessages: ['The key is the `enclaveChallenge` of the result: take it from the chain.'],
      docsPath: '/sessions#evidence',
    })
  }
}

export class SecretTooLargeError extends BaseError {
  override name = 'SecretTooLargeError'
  constructor({ limit }: { limit: number }) {
    super(`A secret has at most ${limit} bytes.`, { docsPath: '/secrets#limits' })
  }
}

export class InvalidSecretError extends BaseError {
  override name = 'InvalidSecretError'
  constructor({ reason }: { reason: string }) {
    super(`The secret cannot be stored: ${reason}.`, { docsPath: '/secrets#limits' })
  }
}

/** A stored secret does not open: the database was changed by hand, or the master key is missing. */
export class SecretUnreadableError extends BaseError {
  override name = 'SecretUnreadableError'
  constructor({ kind, owner, reason }: { kind: string; owner: string; reason: string }) {
    super(`The stored secret of ${kind} "${owner}" does not open: ${reason}.`, { docsPath: '/secrets#master-key' })
  }
}

/** The master key is held by a service that does not serve us now: nothing can be stored or released until it does. */
export class MasterKeyUnavailableError extends BaseError {
  override name = 'MasterKeyUnavailableError'
  constructor({ key, reason, cause }: { key: string; reason: string; cause?: unknown }) {
    super(`The master key "${key}" cannot be used: ${reason}.`, {
      metaMessages: ['Look at SMS_VAULT_URL, its token, and whether the token may encrypt and decrypt with this key.'],
      cause,
      docsPath: '/secrets#master-key',
    })
  }
}

/** The row that ends the audit log's chain was taken out: nothing that must be logged is done any more. */
export class AuditHeadMissingError extends BaseError {
  override name = 'AuditHeadMissingError'
  constructor() {
    super('The head of the audit log is missing from the database.', {
      metaMessages: ['Restore the table audit_head from a backup, with the rows of audit_entry of the same moment.'],
      docsPath: '/operate#audit-log',
    })
  }
}

/* SESSIONS: who asks */

export class NonceUnknownError extends BaseError {
  override name = 'NonceUnknownError'
  constructor({ nonce }: { nonce: Hex }) {
    super(`The nonce "${nonce}" was not given for this task and attempt.`, {
      metaMessages: ['Ask for one: `POST /sessions/nonce`.'],
      docsPath: '/sessions#nonce',
    })
  }
}

export class NonceUsedError extends BaseError {
  override name = 'NonceUsedError'
  constructor({ nonce }: { nonce: Hex }) {
    super(`The nonce "${nonce}" has opened a session already.`, { docsPath: '/sessions#nonce' })
  }
}

export class NonceExpiredError extends BaseError {
  override name = 'NonceExpiredError'
  constructor({ nonce, expiresAt }: { nonce: Hex; expiresAt: Date }) {
    super(`The nonce "${nonce}" was good until ${expiresAt.toISOString()}.`, {
      metaMessages: ['Ask for another one and make a quote over it.'],
      docsPath: '/sessions#nonce',
    })
  }
}

export class LeaseRefusedError extends BaseError {
  override name = 'LeaseRefusedError'
  constructor({ taskId, worker, owner }: { taskId: Hex; worker: Address; owner: Address }) {
    super(`The lease of task "${taskId}" for worker "${worker}" is not signed by the pool's owner "${owner}".`, {
      metaMessages: ["The lease names task, worker, attempt and expiry; the owner is the one in the deal's record."],
      docsPath: '/sessions#lease',
    })
  }
}

export class LeaseExpiredError extends BaseError {
  override name = 'LeaseExpiredError'
  constructor({ expiry, now }: { expiry: bigint; now: bigint }) {
    super(`The lease ended at ${expiry}, and it is ${now} (unix seconds).`, {
      metaMessages: ['Ask the scheduler for another lease.'],
      docsPath: '/sessions#lease',
    })
  }
}

/* SESSIONS: what about */

export class DealNotFoundError extends BaseError {
  override name = 'DealNotFoundError'
  constructor({ dealId }: { dealId: Hex }) {
    super(`The chain knows no deal "${dealId}".`, { docsPath: '/sessions#deal' })
  }
}

export class DealOverError extends BaseError {
  override name = 'DealOverError'
  constructor({ dealId, deadline, now }: { dealId: Hex; deadline: bigint; now: bigint }) {
    super(`Deal "${dealId}" took results until ${deadline}, and it is ${now} on chain (unix seconds).`, {
      metaMessages: ['Claim its tasks to be refunded.'],
      docsPath: '/sessions#deal',
    })
  }
}

export class TaskOutOfRangeError extends BaseError {
  override name = 'TaskOutOfRangeError'
  constructor({ index, first, size }: { index: bigint; first: bigint; size: bigint }) {
    super(`Task ${index} is not among the deal's tasks ${first} to ${first + size - 1n}.`, {
      docsPath: '/sessions#deal',
    })
  }
}

export class TaskOverError extends BaseError {
  override name = 'TaskOverError'
  constructor({ taskId, status }: { taskId: Hex; status: string }) {
    super(`Task "${taskId}" takes no more results: its status is ${status}.`, { docsPath: '/sessions#deal' })
  }
}

/** The list of datasets that a request names cannot be had just now. */
export class BulkListUnavailableError extends BaseError {
  override name = 'BulkListUnavailableError'
  constructor({ cid, reason, cause }: { cid: string; reason: string; cause?: unknown }) {
    super(`The list of datasets "${cid}" cannot be read: ${reason}.`, {
      metaMessages: ['Try again later, or store it again: it lies where the requester uploaded it.'],
      docsPath: '/sessions#bulk',
      cause,
    })
  }
}

/** The list of datasets that a request names is none, or has nothing for this task. */
export class BulkListMalformedError extends BaseError {
  override name = 'BulkListMalformedError'
  constructor({ cid, reason }: { cid: string; reason: string }) {
    super(`"${cid}" is no list of datasets for this task: ${reason}.`, {
      metaMessages: ['Prepare the bulk anew, with as many tasks in the request as the list has slices.'],
      docsPath: '/sessions#bulk',
    })
  }
}

/** An app that runs without any of the data that it is paid for would be paid for nothing. */
export class NoDatasetLeftError extends BaseError {
  override name = 'NoDatasetLeftError'
  constructor({ taskId, leftOut }: { taskId: Hex; leftOut: readonly { address: Address; reason: string }[] }) {
    super(`None of the ${leftOut.length} datasets that task "${taskId}" names may be read.`, {
      metaMessages: leftOut.slice(0, 5).map(({ address, reason }) => `${address}: ${reason}`),
      docsPath: '/sessions#bulk',
    })
  }
}

export class DealNotConfidentialError extends BaseError {
  override name = 'DealNotConfidentialError'
  constructor({ dealId, tag }: { dealId: Hex; tag: Hex }) {
    super(`The tag "${tag}" of deal "${dealId}" does not ask for a TDX enclave (bits 0 and 3).`, {
      docsPath: '/sessions#deal',
    })
  }
}

/* SESSIONS: what runs */

export class RuntimeNotAllowedError extends BaseError {
  override name = 'RuntimeNotAllowedError'
  constructor({ measurement, reason }: { measurement: string; reason: string }) {
    super(`The enclave's runtime is not one that this service trusts: ${reason}.`, {
      metaMessages: [`It measures ${measurement}. Compare it with the policy's measurements.`],
      docsPath: '/sessions#runtime',
    })
  }
}

export class ReportDataMismatchError extends BaseError {
  override name = 'ReportDataMismatchError'
  constructor({ found }: { found: string }) {
    super(`The quote is not bound to this chain, task, attempt, worker, keys and nonce (found "${found}").`, {
      docsPath: '/sessions#binding',
    })
  }
}

export class EventLogMismatchError extends BaseError {
  override name = 'EventLogMismatchError'
  constructor({ reason }: { reason: string }) {
    super(`The event log does not explain RTMR3 of the quote: ${reason}.`, { docsPath: '/sessions#app' })
  }
}

export class AppMeasurementMismatchError extends BaseError {
  override name = 'AppMeasurementMismatchError'
  constructor({ app, measured, checksum }: { app: Address; measured: string; checksum: Hex }) {
    super(`The enclave measured "${measured}" last, but app "${app}" of the deal has checksum "${checksum}".`, {
      docsPath: '/sessions#app',
    })
  }
}

/* SESSIONS: what is released */

export class DatasetKeyNotFoundError extends BaseError {
  override name = 'DatasetKeyNotFoundError'
  constructor({ dataset }: { dataset: Address }) {
    super(`No key is stored for dataset "${dataset}".`, {
      metaMessages: ['Its owner must push it first.'],
      docsPath: '/secrets#datasets',
    })
  }
}

export class RequesterSecretNotFoundError extends BaseError {
  override name = 'RequesterSecretNotFoundError'
  constructor({ requester, name }: { requester: Address; name: string }) {
    super(`The requester "${requester}" has stored no secret named "${name}".`, {
      metaMessages: ['It is named in the request: store it, then run again.'],
      docsPath: '/secrets#requesters',
    })
  }
}

export class ResultKeyNotFoundError extends BaseError {
  override name = 'ResultKeyNotFoundError'
  constructor({ beneficiary }: { beneficiary: Address }) {
    super(`The request asks for an encrypted result, but "${beneficiary}" has stored no result key.`, {
      metaMessages: ['Store the public key of the beneficiary, then run again.'],
      docsPath: '/secrets#results',
    })
  }
}

export class RequestUnreadableError extends BaseError {
  override name = 'RequestUnreadableError'
  constructor({ dealId, reason }: { dealId: Hex; reason: string }) {
    super(`The parameters of deal "${dealId}" cannot be read: ${reason}`, { docsPath: '/sessions#deal' })
  }
}

export class SessionExistsError extends BaseError {
  override name = 'SessionExistsError'
  constructor({ taskId, attempt }: { taskId: Hex; attempt: bigint }) {
    super(`Attempt ${attempt} at task "${taskId}" has opened its session already.`, {
      metaMessages: ['Each attempt opens one session: ask the scheduler for another attempt.'],
      docsPath: '/sessions#attempts',
    })
  }
}

/* CONFIGURATION */

/** A policy that believes simulated enclaves, on a chain that is not marked local. */
export class SimulatorOnRealChainError extends BaseError {
  override name = 'SimulatorOnRealChainError'
  constructor({ chainId, root }: { chainId: bigint; root: string }) {
    super(`The policy trusts the simulator's root "${root}", but chain ${chainId} is not a local one.`, {
      metaMessages: ['Remove that root from the policy. Only for a local chain with another id: set LOCAL_CHAIN=1.'],
      docsPath: '/sessions#simulator',
    })
  }
}

/** A policy that would release secrets to any program in an enclave. */
export class PolicyTooOpenError extends BaseError {
  override name = 'PolicyTooOpenError'
  constructor() {
    super('The policy names no measurement, so any program in an enclave would be given secrets.', {
      metaMessages: ["List the runtime's measurement under `measurements`."],
      docsPath: '/sessions#runtime',
    })
  }
}

/** The chain cannot be asked just now. */
export class ChainUnavailableError extends BaseError {
  override name = 'ChainUnavailableError'
  constructor({ cause }: { cause: unknown }) {
    super('The chain does not answer.', { metaMessages: ['Try again later.'], cause, docsPath: '/operate#chain' })
  }
}

/** The Hub believes another signer than ours: what we authorize would be refused on chain. */
export class TeeBrokerMismatchError extends BaseError {
  override name = 'TeeBrokerMismatchError'
  constructor({ broker, signer }: { broker: string; signer: string }) {
    super(`The Hub's TEE broker is "${broker}", but this service signs as "${signer}".`, {
      metaMessages: ["Let the Hub's owner set the broker, or start with that account's key."],
      docsPath: '/sessions#authorization',
    })
  }
}
