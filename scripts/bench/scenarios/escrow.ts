import { MaxUint256, Signature } from 'ethers'
import { RLC } from '../market.ts'
import { signOrders } from '../orders.ts'
import { reasons, type Scenario } from './scenario.ts'

const closes = 10

/** The chapter of what accounts own, and of several calls at once. */
export const escrow: Scenario[] = [
  {
    name: 'deposit',
    expected: 65_155,
    because: reasons.olderCode,
    gas: async ({ chain, hub, token, accounts, gasOf }) => {
      await chain.send(accounts.tokenDeployer, token, 'transfer', [accounts.requester.address, RLC])
      await chain.send(accounts.requester, token, 'approve', [hub.target, 2n * RLC])
      return gasOf(accounts.requester, 'deposit', [RLC])
    },
  },
  {
    name: 'depositWithPermit',
    only: 'ours',
    gas: async ({ chain, hub, token, accounts, gasOf }) => {
      const domain = {
        name: 'Local RLC',
        version: '1',
        chainId: chain.chainId,
        verifyingContract: String(token.target),
      }
      const owner = accounts.requester
      const permit = { owner: owner.address, spender: hub.target, value: RLC, nonce: 0n, deadline: MaxUint256 }
      const { v, r, s } = Signature.from(await owner.signTypedData(domain, permitTypes, permit))
      return gasOf(owner, 'depositWithPermit', [RLC, MaxUint256, v, r, s])
    },
  },
  {
    name: 'withdraw',
    expected: 59_389,
    because: reasons.olderCode,
    gas: ({ accounts, gasOf }) => gasOf(accounts.requester, 'withdraw', [RLC]),
  },
  {
    name: 'transfer of staked tokens',
    expected: 41_949,
    because: reasons.olderCode,
    gas: ({ accounts, gasOf }) => gasOf(accounts.requester, 'transfer', [accounts.scheduler.address, RLC]),
  },
  {
    name: `closing ${closes} dataset orders`,
    note: `ours in one multicall; the reference in ${closes} transactions`,
    gas: async (market) => {
      const { hub, side, accounts, gasOf } = market
      const operations = []
      for (let index = 0; index < closes; ++index) {
        const [, order] = await signOrders(market, `revoked ${index}`, { dataset: true })
        operations.push({ order, operation: 1, sign: '0x' })
      }
      const encode = (operation: unknown) => hub.interface.encodeFunctionData('manageDatasetOrder', [operation])
      if (side === 'ours') return gasOf(accounts.datasetOwner, 'multicall', [operations.map(encode)])
      let gas = 0n
      for (const operation of operations) gas += await gasOf(accounts.datasetOwner, 'manageDatasetOrder', [operation])
      return gas
    },
  },
]

const permitTypes = {
  Permit: [
    { name: 'owner', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
}
