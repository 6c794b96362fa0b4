import { expect } from 'chai'
import type { Addressable } from 'ethers'
import type { IHub } from '../../typechain-types/index.ts'
import { type Assets, ethers } from '../fixtures.ts'
import { UNIT, weiOf } from '../native.ts'

type Account = string | Addressable

/**
 * Whatever happened: the Hub holds what it owes, nothing was made or lost between `accounts` (all there are), and what is
 * in custody is what is locked, and the kitty. `stray` is what was sent to the Hub by mistake.
 */
export async function expectSound(hub: IHub, accounts: Account[], stray = 0n): Promise<void> {
  const supply = await hub.totalSupply()
  expect(await wealthOf(hub), 'what the Hub holds').to.equal(supply + stray)
  const kitty = await hub.kitty_address()
  const all = await Promise.all([...new Set(await addressesOf([...accounts, hub, kitty]))].map(accountIn(hub)))
  expect(sum(all.map(({ stake }) => stake)), 'the sum of the balances').to.equal(supply)
  expect(sum(all.map(({ locked }) => locked)), 'what is locked').to.equal(await hub.balanceOf(hub))
}

/** All accounts that the fixtures know. */
export function everybody(assets: Assets): Account[] {
  const { owner, appOwner, datasetOwner, scheduler, requester, sponsor, worker, worker2, beneficiary, anyone } = assets
  return [owner, appOwner, datasetOwner, scheduler, requester, sponsor, worker, worker2, beneficiary, anyone]
}

/** What the Hub holds, in units. */
async function wealthOf(hub: IHub): Promise<bigint> {
  const token = await hub.token()
  if (token === ethers.ZeroAddress) return (await weiOf(hub)) / UNIT
  return (await ethers.getContractAt('LocalToken', token)).balanceOf(hub)
}

function accountIn(hub: IHub) {
  return (address: string) => hub.viewAccount(address)
}

function addressesOf(accounts: Account[]): Promise<string[]> {
  return Promise.all(accounts.map(async (account) => (typeof account === 'string' ? account : account.getAddress())))
}

function sum(amounts: bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n)
}
