// What an account that is called in the middle of a call may try: all of the Hub that moves money.
import { expect } from 'chai'
import type { IHub, Meddler } from '../../typechain-types/index.ts'
import {
  type Assets,
  DEPOSIT,
  datasetPrice,
  ethers,
  finalArguments,
  RLC,
  type Settled,
  settleArguments,
  signOrders,
} from '../fixtures.ts'

/** What is tried, and how it must end: with an error, or with success where it is the meddler's own right. */
export type Attempt = { name: string; data: string; error: string | undefined }

/** A contract with `RLC` in the Hub, and as much in the token that it lets the Hub take. */
export async function newMeddler({ hub, token, owner }: Assets): Promise<Meddler> {
  const meddler = await ethers.deployContract('Meddler')
  await token.connect(owner).approve(hub, RLC)
  await hub.connect(owner).depositFor(RLC, meddler)
  await token.connect(owner).transfer(meddler, RLC)
  await meddler.execute(token, token.interface.encodeFunctionData('approve', [await hub.getAddress(), RLC]))
  return meddler
}

/** Attempts on a task that is just being settled; `orders` are those of its deal. */
export async function attemptsOn(
  assets: Assets,
  { settled, meddler, orders }: { settled: Settled; meddler: Meddler; orders: readonly unknown[] },
): Promise<Attempt[]> {
  const { hub, anyone } = assets
  const { dealId, idx, taskId } = settled
  const self = await meddler.getAddress()
  const own: Settled = { ...settled, worker: self }
  const [, grant] = await signOrders(assets)
  const call = (name: string, args: readonly unknown[]) =>
    hub.interface.encodeFunctionData(name as 'claim', args as [string])
  const on = (name: string, args: readonly unknown[], error?: string): Attempt => ({
    name,
    data: call(name, args),
    error,
  })
  const single = [
    on('deposit', [1n]),
    on('withdraw', [1n]),
    on('transfer', [anyone.address, 1n]),
    on('deposit', [RLC + 1n], 'TokenTransferFailed'),
    on('withdraw', [RLC + 1n], 'ERC20InsufficientBalance'),
    on('withdrawTo', [DEPOSIT, anyone.address], 'ERC20InsufficientBalance'),
    on('transferFrom', [await assets.requester.getAddress(), self, 1n], 'ERC20InsufficientAllowance'),
    on('matchOrders', orders, 'NothingLeft'),
    on('matchOrders', await signOrders(assets)),
    on('initialize', [dealId, idx], 'WrongStatus'),
    on('claim', [taskId], 'WrongStatus'),
    on('initializeAndClaimArray', [[dealId], [idx]], 'WrongStatus'),
    on('settle', settleArguments(settled), 'WrongStatus'),
    on('settle', settleArguments(own), 'WrongStatus'),
    on('settleFailure', [dealId, idx, self, 1n, settled.enclaveChallenge, '0x', '0x'], 'WrongStatus'),
    on('contributeAndFinalize', finalArguments(taskId, settled), 'WrongStatus'),
    on('finalize', [taskId, '0x', '0x'], 'WrongStatus'),
    on('attachDatasets', [dealId, idx, [grant], datasetPrice], 'NotPayer'),
    on('recover', [], 'NotOwner'),
    on('setCallbackGas', [0n], 'NotOwner'),
  ]
  const wrapped = single
    .filter(({ error }) => error !== undefined)
    .map(({ name, data }) => ({ name: `multicall of ${name}`, data: call('multicall', [[data]]), error: 'CallFailed' }))
  return [...single, ...wrapped, on('multicall', [[call('withdraw', [1n]), call('deposit', [1n])]])]
}

/** The meddler was called, and each attempt ended as it must. */
export async function expectOutcomes(hub: IHub, meddler: Meddler, attempts: Attempt[]): Promise<void> {
  const outcomes = await meddler.outcomes()
  expect(outcomes).to.have.lengthOf(attempts.length)
  for (const [index, { success, answer }] of outcomes.entries()) {
    const { name, error } = attempts[index] ?? { name: 'nothing', error: undefined }
    const found = success ? undefined : (hub.interface.parseError(answer)?.name ?? answer)
    expect(found, `${index}: ${name}`).to.equal(error)
  }
}
