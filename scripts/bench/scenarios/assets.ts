import type { Account } from '../chain.ts'
import { createAsset, type Market } from '../market.ts'
import { reasons, type Scenario } from './scenario.ts'

/** The chapter of what can be bought: assets are tokens of the three registries. */
export const assets: Scenario[] = [
  {
    name: 'createDataset, second of an owner',
    expected: 586_028,
    because: reasons.smallerProxy,
    target: 142_000,
    gas: (market) => second(market, 'dataset', market.accounts.datasetOwner),
  },
  {
    name: 'createWorkerpool, second of an owner',
    expected: 582_706,
    because: reasons.smallerProxy,
    target: 142_000,
    gas: (market) => second(market, 'workerpool', market.accounts.scheduler),
  },
  {
    name: 'createApp, second of an owner',
    expected: 615_909,
    because: reasons.smallerProxy,
    target: 148_000,
    gas: (market) => second(market, 'app', market.accounts.appOwner),
  },
  {
    name: 'transfer of an app to its first other owner',
    expected: 88_239,
    because: reasons.olderCode,
    gas: async ({ chain, appRegistry, app, accounts }) => {
      const { appOwner, anyone } = accounts
      const args = [appOwner.address, anyone.address, BigInt(app)]
      return (await chain.send(appOwner, appRegistry, 'transferFrom', args)).gasUsed
    },
  },
]

async function second(market: Market, kind: 'app' | 'dataset' | 'workerpool', owner: Account): Promise<bigint> {
  return (await createAsset(market, kind, owner.address, 'another')).gas
}
