import { type Address, BaseError, type Hex, type Order, RetryableError } from '@sealdeal/protocol'

export type ServiceName = 'market' | 'sms' | 'storage' | 'scheduler'

/** A service could not be reached, or failed by itself: trying again may help. */
export class ServiceUnavailableError extends RetryableError {
  override name = 'ServiceUnavailableError'
  constructor({
    service,
    url,
    status,
    cause,
  }: { service: ServiceName; url: string; status?: number; cause?: unknown }) {
    const what = status === undefined ? 'could not be reached' : `failed with status ${status}`
    super(`The ${service} at ${url} ${what}.`, {
      cause,
      metaMessages: ['Nothing is wrong with your request: try again, or check `endpoints` of the client.'],
      docsPath: '/services',
    })
  }
}

/** A service understood the request and refused it. */
export class ServiceRefusedError extends BaseError {
  override name = 'ServiceRefusedError'
  readonly service: ServiceName
  readonly status: number

  constructor({
    service,
    status,
    reason,
    remedies = [],
  }: {
    service: ServiceName
    status: number
    reason: string
    remedies?: string[]
  }) {
    super(`The ${service} refused: ${reason.replace(/\.$/, '')}.`, { metaMessages: remedies, docsPath: '/services' })
    this.service = service
    this.status = status
  }
}

/** Nobody told where the API of a workerpool is. */
export class WorkerpoolUnknownError extends BaseError {
  override name = 'WorkerpoolUnknownError'
  constructor({ workerpool }: { workerpool: Address }) {
    super(`The market does not know where the scheduler of workerpool ${workerpool} is.`, {
      metaMessages: ['Ask its owner, and give the origin as `endpoints.scheduler` of the client.'],
      docsPath: '/services',
    })
  }
}

/** The person, or the policy, behind the signer said no. */
export class SignatureRefusedError extends BaseError {
  override name = 'SignatureRefusedError'
  constructor({ cause }: { cause: unknown }) {
    super('The wallet refused to sign.', { cause, metaMessages: ['Nothing was sent. Confirm in the wallet to go on.'] })
  }
}

/** A transaction was mined and failed, and its reason cannot be had. */
export class TransactionFailedError extends BaseError {
  override name = 'TransactionFailedError'
  constructor({ hash, cause }: { hash: string; cause?: unknown }) {
    super(`Transaction ${hash} failed.`, { cause, metaMessages: ['Look at it in an explorer, or send it again.'] })
  }
}

/** Something did not happen in the time that the caller gave it. */
export class TimeoutError extends RetryableError {
  override name = 'TimeoutError'
  constructor({ what, milliseconds, remedy }: { what: string; milliseconds: number; remedy: string }) {
    super(`${what} within ${milliseconds / 1000} s.`, { metaMessages: [remedy] })
  }
}

/** An account other than the owner tried what only the owner may do. */
export class NotTheOwnerError extends BaseError {
  override name = 'NotTheOwnerError'
  constructor({ asset, owner, account }: { asset: Address; owner: Address; account: Address }) {
    super(`${asset} belongs to ${owner}, not to ${account}.`, { metaMessages: ['Use a client of the owner.'] })
  }
}

/** A grant names an app that is neither registered nor a group of apps. */
export class InvalidAppError extends BaseError {
  override name = 'InvalidAppError'
  constructor({ app, reason }: { app: Address; reason: string }) {
    super(`"${app}" cannot be authorized: ${reason}.`, {
      metaMessages: ['Name a deployed app, or a group contract (ERC-734) of apps that you trust as a whole.'],
      docsPath: '/access#apps',
    })
  }
}

/** The same grant is open already. */
export class AccessAlreadyGrantedError extends BaseError {
  override name = 'AccessAlreadyGrantedError'
  readonly orderHash: Hex
  constructor({ app, user, orderHash }: { app: Address; user: Address; orderHash: Hex }) {
    super(`Access was already granted to user ${user} with app ${app}, by order ${orderHash}.`, {
      metaMessages: ['Use that grant, or revoke it first: `revokeAccess(client, { orderHash })`.'],
      docsPath: '/access',
    })
    this.orderHash = orderHash
  }
}

/** A grant has nothing left to revoke. */
export class AccessNotActiveError extends BaseError {
  override name = 'AccessNotActiveError'
  constructor({ orderHash }: { orderHash: Hex }) {
    super(`The grant ${orderHash} is used up, or was revoked before.`, { metaMessages: ['Nothing needs to be done.'] })
  }
}

/** The protected data exists on chain, but its key did not reach the secret service. `resume()` pushes it again. */
export class KeyNotPushedError extends RetryableError {
  override name = 'KeyNotPushedError'
  readonly protectedData: Address
  /** Pushes the key again. It is held in memory by this error alone, and shown nowhere. */
  readonly resume: () => Promise<void>

  constructor({
    protectedData,
    resume,
    cause,
  }: { protectedData: Address; resume: () => Promise<void>; cause: unknown }) {
    super(`${protectedData} was created, but its key is not stored: no app can read it yet.`, {
      cause,
      metaMessages: ['Call `error.resume()` in this process: the key is nowhere else.'],
      docsPath: '/protect#resume',
    })
    this.protectedData = protectedData
    Object.defineProperty(this, 'resume', { enumerable: false })
    this.resume = resume
  }
}

/** A secret can be written once, and was. */
export class SecretExistsError extends BaseError {
  override name = 'SecretExistsError'
  constructor({ what }: { what: string }) {
    super(`A secret is already stored for ${what}, and it cannot be replaced.`, {
      metaMessages: ['Use another name, or deploy the app or dataset anew.'],
      docsPath: '/secrets',
    })
  }
}

export type Rejection = { orderHash: Hex; reasons: string[] }

/** An order that a run needs does not exist, or none of those that exist would match. Nothing was paid. */
export class OrderNotFoundError extends BaseError {
  override name = 'OrderNotFoundError'
  /** Which of the orders is missing. */
  readonly kind: Order.Kind
  /** The orders that were looked at, and why each does not do. */
  readonly rejected: Rejection[]

  constructor({ kind, asset, rejected = [] }: { kind: Order.Kind; asset?: Address; rejected?: Rejection[] }) {
    const remedies = {
      app: 'Its developer must publish an app order: `publishOrder(client, { kind: "app", ... })`.',
      dataset: 'Its owner must grant access to this app and this account: `grantAccess(client, ...)`.',
      workerpool: 'Choose another workerpool, category or price, or wait for an order of a workerpool.',
      request: 'Publish a request order.',
    }
    const found = rejected.length === 0 ? '' : ` ${rejected.length} found, none fits:`
    super(`No ${kind} order${asset === undefined ? '' : ` of ${asset}`} can be used.${found}`, {
      metaMessages: [
        ...rejected.map(({ orderHash, reasons }) => `- ${orderHash}: ${reasons.join(' ')}`),
        remedies[kind],
        'Nothing was paid.',
      ],
      docsPath: '/run#orders',
    })
    this.kind = kind
    this.rejected = rejected.map(({ orderHash, reasons }) => ({ orderHash, reasons }))
  }
}

/** The payer's free balance does not cover the deal. */
export class InsufficientFundsError extends BaseError {
  override name = 'InsufficientFundsError'
  readonly missing: bigint
  constructor({ account, needed, free }: { account: Address; needed: bigint; free: bigint }) {
    super(`The deal costs ${needed}, but ${account} has ${free} free in the escrow.`, {
      metaMessages: [
        `Deposit what is missing: \`deposit(client, { amount: ${needed - free}n })\`.`,
        'Nothing was paid.',
      ],
      docsPath: '/escrow',
    })
    this.missing = needed - free
  }
}

/** Orders that would not match: each broken rule in a sentence. */
export class OrdersMismatchError extends BaseError {
  override name = 'OrdersMismatchError'
  readonly mismatches: { code: string; name: string; sentence: string; remedy: string }[]
  constructor({ mismatches }: { mismatches: { code: string; name: string; sentence: string; remedy: string }[] }) {
    super(`The orders do not match: ${mismatches[0]?.sentence ?? ''}`, {
      metaMessages: mismatches.flatMap(({ sentence, remedy }) => [`- ${sentence} ${remedy}`]),
      docsPath: '/orders#rules',
    })
    this.mismatches = mismatches
  }
}

/** A task ended without a result; the payer was refunded. */
export class TaskFailedError extends BaseError {
  override name = 'TaskFailedError'
  readonly taskId: Hex
  /** What the enclave signed; without it the task was not finished in time. */
  readonly failure: string | undefined
  constructor({ taskId, failure }: { taskId: Hex; failure?: string | undefined }) {
    const why = failure === undefined ? 'it was not finished in time' : `its enclave says ${failure}`
    super(`Task ${taskId} failed: ${why}, and the payer was refunded.`, {
      metaMessages: ['Ask the workerpool for the cause and its remedy, and run again.'],
      docsPath: '/tasks#failures',
    })
    this.taskId = taskId
    this.failure = failure
  }
}

/** A task is past its final deadline and nobody claimed it yet. */
export class TaskOverdueError extends BaseError {
  override name = 'TaskOverdueError'
  readonly taskId: Hex
  constructor({ taskId, deadline }: { taskId: Hex; deadline: bigint }) {
    super(`Task ${taskId} was due at ${deadline} (unix seconds) and will never finish.`, {
      metaMessages: ['Get the money back: `claimTask(client, { taskId })`.'],
      docsPath: '/tasks#claim',
    })
    this.taskId = taskId
  }
}

/** There is no result to fetch. */
export class ResultNotAvailableError extends BaseError {
  override name = 'ResultNotAvailableError'
  constructor({ taskId, reason, remedy }: { taskId: Hex; reason: string; remedy: string }) {
    super(`The result of task ${taskId} cannot be fetched: ${reason}.`, {
      metaMessages: [remedy],
      docsPath: '/results',
    })
  }
}

/** There is no receipt of this task, or not yet. */
export class ReceiptNotAvailableError extends BaseError {
  override name = 'ReceiptNotAvailableError'
  constructor({ taskId, reason }: { taskId: Hex; reason: string }) {
    super(`There is no receipt of task ${taskId}: ${reason}.`, {
      metaMessages: ['Wait until it is completed; or ask a node that keeps all blocks, logs and transactions.'],
      docsPath: '/receipts',
    })
  }
}
