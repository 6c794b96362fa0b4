import { formatEther } from 'ethers'
import { BaseError } from '../packages/protocol/errors.ts'

/** A parameter of the deployment is missing or wrong. Every one is listed, not only the first. */
export class ParameterError extends BaseError {
  override name = 'ParameterError'
  constructor({ source, problems }: { source: string; problems: string[] }) {
    super(`${source} cannot be used.`, { metaMessages: problems, docsPath: '/deploy#parameters' })
  }
}

/** The deployer cannot pay for what is still missing. Nothing of it was sent. */
export class InsufficientFundsError extends BaseError {
  override name = 'InsufficientFundsError'
  constructor({
    deployer,
    balance,
    needed,
    purpose,
    isLeast = false,
  }: {
    deployer: string
    balance: bigint
    needed: bigint
    purpose: string
    /** Whether it may take more. */
    isLeast?: boolean
  }) {
    const takes = `${isLeast ? 'at least ' : ''}${formatEther(needed)} ETH`
    super(`The deployer ${deployer} has ${formatEther(balance)} ETH, but ${purpose} takes ${takes}.`, {
      metaMessages: [`Send it ${formatEther(needed - balance)} ETH or more, then run the same command again.`],
      docsPath: '/deploy#money',
    })
  }
}

/** The factory cannot be had on this chain, or something else is in its place. */
export class FactoryError extends BaseError {
  override name = 'FactoryError'
  constructor({ reason, remedy, cause }: { reason: string; remedy: string; cause?: unknown }) {
    super(`CreateX cannot be used on this chain: ${reason}.`, {
      metaMessages: [remedy],
      docsPath: '/deploy#createx',
      cause,
    })
  }
}

/** The chain has, or is getting, a marketplace of other parameters or other code than this run would make. */
export class OtherDeploymentError extends BaseError {
  override name = 'OtherDeploymentError'
  constructor({ chainId, source, differences }: { chainId: bigint; source: string; differences: string[] }) {
    super(`Chain ${chainId} has another deployment, recorded in ${source}. Nothing was sent.`, {
      metaMessages: [
        ...differences,
        'Take what is recorded, or say `--replace` for a second set of contracts at other addresses; the first stays as it is.',
      ],
      docsPath: '/deploy#again',
    })
  }
}

/** A contract could not be made, or is not what it should be. */
export class DeploymentFailedError extends BaseError {
  override name = 'DeploymentFailedError'
  constructor({ reason, remedy, cause }: { reason: string; remedy: string; cause?: unknown }) {
    super(reason, { metaMessages: [remedy], docsPath: '/deploy#again', cause })
  }
}

/** Transactions of the deployer hang: nothing can be said about the chain until they are mined. */
export class PendingTransactionsError extends BaseError {
  override name = 'PendingTransactionsError'
  constructor({ deployer, mined, sent }: { deployer: string; mined: number; sent: number }) {
    super(`Transactions of ${deployer} with nonces ${mined} to ${sent - 1} are sent, but not mined.`, {
      metaMessages: ['Wait for them, or replace them with a higher fee, then run the same command again.'],
      docsPath: '/deploy#again',
    })
  }
}
