import { type Address, BaseError } from '@sealdeal/protocol'
import { formatEther, type Provider } from 'ethers'

/** The worker's wallet cannot pay for what it must send. */
export class GasBalanceTooLowError extends BaseError {
  override name = 'GasBalanceTooLowError'
  constructor({ account, balance, needed }: { account: Address; balance: bigint; needed: bigint }) {
    super(
      `The worker's wallet "${account}" holds ${formatEther(balance)}, a task needs up to ${formatEther(needed)}.`,
      {
        metaMessages: ['Send it some of the chain’s own coin, which pays for gas. It takes no work until then.'],
        docsPath: '/worker#gas',
      },
    )
  }
}

/** What both transactions of one task may take together, with a callback that uses all it may. */
const GAS_PER_TASK = 1_500_000n

/**
 * Looks whether the wallet can pay for one more task at present prices: work that cannot be settled is not begun.
 *
 * @throws {GasBalanceTooLowError}
 */
export async function requireGas({ account, provider }: { account: Address; provider: Provider }): Promise<void> {
  const [balance, fees] = await Promise.all([provider.getBalance(account), provider.getFeeData()])
  const needed = GAS_PER_TASK * (fees.maxFeePerGas ?? fees.gasPrice ?? 0n)
  if (balance < needed) throw new GasBalanceTooLowError({ account, balance, needed })
}
