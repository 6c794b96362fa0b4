// One chain in memory for all test files of a run.
/// <reference path="../typechain-types/hardhat.d.ts" />
import { network } from 'hardhat'

export const connection = await network.create()
export const { ethers, networkHelpers } = connection
export const { time, setBalance, setCode, setStorageAt, getStorageAt, impersonateAccount, mine } = networkHelpers

type Fixture<T> = () => Promise<T>
type Snapshot = { fixture: Fixture<unknown>; id: unknown; state: unknown }

const snapshots: Snapshot[] = []

/**
 * Leaves the chain in the state that the fixture leaves, and returns what the fixture returns. A fixture may load another
 * one first: Hardhat's own function loses count of its snapshots then, this one keeps them as a stack.
 */
export async function loadFixture<T>(fixture: Fixture<T>): Promise<T> {
  const index = snapshots.findIndex((snapshot) => snapshot.fixture === fixture)
  const known = snapshots[index]
  if (known === undefined) {
    const state = await fixture()
    snapshots.push({ fixture, id: await takeSnapshot(), state })
    return state
  }
  // Returning to a state forgets every later one, and uses up its own snapshot.
  await connection.provider.request({ method: 'evm_revert', params: [known.id] })
  snapshots.splice(index + 1)
  known.id = await takeSnapshot()
  return known.state as T
}

function takeSnapshot(): Promise<unknown> {
  return connection.provider.request({ method: 'evm_snapshot' })
}

/** Has every fixture made anew: for whoever changes the contracts under the tests. */
export function forgetFixtures() {
  snapshots.length = 0
}
