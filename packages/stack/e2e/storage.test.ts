import { type Address, Locator } from '@sealdeal/protocol'
import {
  type Client,
  createClient,
  deleteStoredFile,
  deployApp,
  grantAccess,
  type ProtectDataReturnType,
  protectData,
  publishOrder,
  run,
  storedFiles,
} from '@sealdeal/sdk'
import { openTestDatabase } from '@sealdeal/server'
import { expect } from 'chai'
import type { Stack } from '../stack.ts'
import { echoApp, type Received } from '../testing/echo.ts'
import { finished, limits, newcomer, prices, RLC, refusal, resultKey, textOf } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

describe('C08 choose where data is stored', function () {
  this.timeout(90_000)
  let stack: Stack
  let owner: Client
  let user: Client
  let app: Address

  before(async () => {
    stack = await sharedStack()
    owner = await newcomer(stack)
    user = await newcomer(stack, { staked: 30n * RLC })
    const developer = await newcomer(stack)
    app = (await deployApp(developer, { name: 'C08', bundle: echoApp })).app
    await publishOrder(developer, { kind: 'app', order: { app, appprice: prices.app, volume: 10n } })
  })

  /** What the app read of it, in bytes. */
  async function sizeInside({ address }: ProtectDataReturnType): Promise<number | null> {
    const access = { authorizedApp: app, authorizedUser: user.account, pricePerAccess: prices.data }
    await grantAccess(owner, { protectedData: address, ...access })
    const made = await run(user, { app, dataset: address, ...limits, resultKey: await resultKey() })
    const { files, verified } = await finished(user, made)
    expect(verified).to.equal(true)
    return (JSON.parse(textOf(files, 'received.json')) as Received).dataset
  }
  const multiaddrOf = async ({ address }: ProtectDataReturnType) =>
    (await user.contracts.hub.viewDataset(address)).m_datasetMultiaddr as `0x${string}`

  for (const uploadMode of ['ipfs', 'arweave'] as const) {
    it(`by ${uploadMode === 'ipfs' ? 'its content, as in IPFS' : 'a URL, as Arweave gives them'}: an app reads it from there`, async () => {
      const stored = await protectData(owner, { name: uploadMode, data: { where: uploadMode }, uploadMode })
      const locator = Locator.fromBytes(await multiaddrOf(stored))
      if (uploadMode === 'ipfs') expect(locator).to.deep.equal({ cid: stored.cid })
      else expect(locator).to.deep.equal({ url: new URL(`/${stored.arweaveId}`, stack.endpoints.storage).href })
      const there = await fetch(Locator.toUrl(locator, { gateway: stack.endpoints.storage }))
      expect((await there.arrayBuffer()).byteLength).to.equal(stored.size)
      expect(await sizeInside(stored)).to.be.greaterThan(0)
    })
  }

  it('and nowhere else', async () => {
    const elsewhere = { data: { a: 1 }, uploadMode: 'elsewhere' as 'ipfs' }
    const error = await refusal(protectData(owner, elsewhere))
    expect(error.message).to.contain('"uploadMode" must be "ipfs" or "arweave", not "elsewhere"')
  })

  it('where every upload is signed: data, app and result are kept under who brought them, until they delete them', async () => {
    const { endpoints, deployment, wallets } = stack
    const ledger = await openTestDatabase({ migrations: [], url: stack.databaseUrl('market') })
    const filesOf = async (client: Client) => {
      const files: string[] = []
      for await (const { cid } of storedFiles(client)) files.push(cid)
      return files
    }
    try {
      await stack.restart('storage', {
        ...{ STORAGE_UPLOADS: 'signed', DATABASE_URL: ledger.url },
        ...{ CHAIN_URL: endpoints.chain, HUB_ADDRESS: deployment.hub },
      })
      const stranger = await fetch(`${endpoints.storage}/api/v0/add`, { method: 'POST', body: new FormData() })
      expect(stranger.status).to.equal(401)

      const stored = await protectData(owner, { name: 'signed', data: { where: 'signed' } })
      const kept = await filesOf(owner)
      expect(kept).to.deep.equal([stored.cid])
      expect(await sizeInside(stored)).to.be.greaterThan(0)
      const worker = await createClient({ signer: wallets.worker, hub: deployment.hub, endpoints })
      expect(await filesOf(worker), 'the result').to.have.length(1)

      await deleteStoredFile(owner, { cid: stored.cid })
      expect(await filesOf(owner)).to.deep.equal([])
      expect((await refusal(deleteStoredFile(owner, { cid: stored.cid }))).status).to.equal(404)
    } finally {
      await stack.restart('storage')
      await ledger.close()
    }
  })
})
