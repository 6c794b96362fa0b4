import { BaseError } from '@sealdeal/protocol'
import type { ErrorTable } from '@sealdeal/server'

/** A URL that nothing is sent to. */
export class TargetRefusedError extends BaseError {
  override name = 'TargetRefusedError'
  constructor({ host, reason }: { host: string; reason: string }) {
    super(`Nothing is sent to "${host}": ${reason}.`, {
      metaMessages: ['Name a receiver on the public internet, by https.'],
      docsPath: '/callbacks#receivers',
    })
  }
}

/** No such subscription of this wallet. */
export class UnknownSubscriptionError extends BaseError {
  override name = 'UnknownSubscriptionError'
  constructor({ id }: { id: string }) {
    super(`This wallet has no subscription "${id}".`, { docsPath: '/callbacks#subscriptions' })
  }
}

/** The wallet has as many subscriptions as it may. */
export class TooManySubscriptionsError extends BaseError {
  override name = 'TooManySubscriptionsError'
  constructor({ most }: { most: number }) {
    super(`A wallet may have ${most} subscriptions, and this one has them.`, {
      metaMessages: ['Delete one, or let one receiver take what several conditions admit.'],
      docsPath: '/callbacks#subscriptions',
    })
  }
}

/** Only a parked delivery can be sent again. */
export class NotParkedError extends BaseError {
  override name = 'NotParkedError'
  constructor({ id }: { id: string }) {
    super(`The subscription has no parked delivery "${id}".`, { docsPath: '/callbacks#parked-deliveries' })
  }
}

/** Another chain than the one that is watched. */
export class WrongChainError extends BaseError {
  override name = 'WrongChainError'
  constructor({ chainId, known }: { chainId: bigint; known: bigint }) {
    super(`chainId ${chainId} is not supported: this service watches ${known}.`, { docsPath: '/callbacks' })
  }
}

/** The stored secrets were encrypted with another key, or changed. */
export class SecretUnreadableError extends BaseError {
  override name = 'SecretUnreadableError'
  constructor({ subscription }: { subscription: string }) {
    super(`The secret of subscription "${subscription}" cannot be decrypted.`, {
      metaMessages: ['Start with the master key that this database was filled with.'],
      docsPath: '/callbacks#operate',
    })
  }
}

export const errors: ErrorTable = {
  NotAuthorizedError: 403,
  TargetRefusedError: 400,
  WrongChainError: 400,
  TooManySubscriptionsError: 403,
  UnknownSubscriptionError: 404,
  NotParkedError: 404,
}

/** So much gas was used for deliveries on chain in 24 hours that this one has to wait. */
export class RelayBudgetError extends BaseError {
  override name = 'RelayBudgetError'
  constructor({ used, gas, most }: { used: bigint; gas: bigint; most: bigint }) {
    super(`Relays may use ${most} gas in 24 hours and have used ${used}; this one takes up to ${gas}.`, {
      metaMessages: ['It is tried again later. Raise RELAY_DAY_GAS, or narrow RELAYED_CONSUMERS.'],
      docsPath: '/callbacks#relay',
    })
  }
}
