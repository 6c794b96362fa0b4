import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { network } from 'hardhat'
import { deployMarketplace } from '../../deploy/marketplace.ts'

type Provider = Parameters<typeof deployMarketplace>[0]['connection']['provider']

/** A chain of its own: deployments are about what is there before and after. */
async function freshChain() {
  const connection = await network.create()
  const [deployer, owner, broker, holder] = await connection.ethers.getSigners()
  if (!(deployer && owner && broker && holder)) throw new Error('The chain has too few accounts.')
  return { connection, ethers: connection.ethers, deployer, owner, broker, holder }
}

/** A node that is lost with the given transaction, before it took it or before it said so, and never comes back. */
function dyingProvider(
  provider: Provider,
  { survived, moment }: { survived: number; moment: 'before' | 'after' },
): Provider {
  let sent = 0
  return {
    async request(call) {
      if (sent > survived) throw new Error('The node is gone.')
      if (call.method !== 'eth_sendTransaction') return provider.request(call)
      sent++
      if (sent > survived && moment === 'before') throw new Error('The node is gone.')
      const hash = await provider.request(call)
      if (sent > survived) throw new Error('The node is gone.')
      return hash
    },
  }
}

async function withJournal(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sealdeal-journal-'))
  try {
    await test(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

describe('deployMarketplace', () => {
  it('connects token, registries, Hub and DataProtector', async () => {
    const { connection, ethers } = await freshChain()
    const addresses = await deployMarketplace({ connection })
    const hub = await ethers.getContractAt('IHub', addresses.hub)
    expect(await hub.token()).to.equal(addresses.token)
    expect(await hub.appregistry()).to.equal(addresses.appRegistry)
    expect(await hub.datasetregistry()).to.equal(addresses.datasetRegistry)
    expect(await hub.workerpoolregistry()).to.equal(addresses.workerpoolRegistry)
    const dataProtector = await ethers.getContractAt('DataProtector', addresses.dataProtector)
    expect(await dataProtector.registry()).to.equal(addresses.datasetRegistry)
  })

  it('makes category 0 what existing tools expect, and four more', async () => {
    const { connection, ethers } = await freshChain()
    const hub = await ethers.getContractAt('IHub', (await deployMarketplace({ connection })).hub)
    expect(await hub.viewCategory(0n)).to.deep.equal(['XS', '""', 300n])
    expect(await hub.countCategory()).to.equal(5n)
  })

  it('gives Hub, registries and token to whom they should belong, and names the broker', async () => {
    const { connection, ethers, owner, broker, holder } = await freshChain()
    const addresses = await deployMarketplace({
      connection,
      parameters: { owner: owner.address, teeBroker: broker.address, tokenHolder: holder.address },
    })
    const hub = await ethers.getContractAt('IHub', addresses.hub)
    expect(await hub.owner()).to.equal(owner.address)
    expect(await hub.teebroker()).to.equal(broker.address)
    for (const address of [addresses.appRegistry, addresses.datasetRegistry, addresses.workerpoolRegistry]) {
      expect(await (await ethers.getContractAt('AppRegistry', address)).owner()).to.equal(owner.address)
    }
    const token = await ethers.getContractAt('LocalToken', addresses.token)
    expect(await token.balanceOf(holder)).to.equal(await token.totalSupply())
  })

  it('uses the token that a network already has', async () => {
    const { connection, ethers, holder } = await freshChain()
    const token = await ethers.deployContract('LocalToken', [holder, 1n])
    const parameters = { token: token.target.toString() }
    const addresses = await deployMarketplace({ connection, parameters })
    expect(addresses.token).to.equal(token.target)
    expect(await (await ethers.getContractAt('IHub', addresses.hub)).token()).to.equal(token.target)
  })

  describe('given a journal', () => {
    it('changes nothing when run a second time', async () => {
      await withJournal(async (journalDirectory) => {
        const { connection, ethers } = await freshChain()
        const first = await deployMarketplace({ connection, journalDirectory })
        const block = await ethers.provider.getBlockNumber()
        expect(await deployMarketplace({ connection, journalDirectory })).to.deep.equal(first)
        expect(await ethers.provider.getBlockNumber()).to.equal(block)
      })
    })

    for (const survived of [0, 3, 5, 6]) {
      for (const moment of ['before', 'after'] as const) {
        it(`goes on where it stopped ${moment} transaction ${survived} was sent`, async () => {
          await withJournal(async (journalDirectory) => {
            const whole = await freshChain()
            await deployMarketplace({ connection: whole.connection })
            const needed = await whole.ethers.provider.getTransactionCount(whole.deployer)

            const { connection, ethers, deployer } = await freshChain()
            const dying = { provider: dyingProvider(connection.provider, { survived, moment }) }
            const death = await deployMarketplace({ connection: dying, journalDirectory }).catch(
              (error: Error) => error,
            )
            expect(death).to.be.an('error')
            const sent = await ethers.provider.getTransactionCount(deployer)
            expect(sent).to.equal(moment === 'before' ? survived : survived + 1)

            const addresses = await deployMarketplace({ connection, journalDirectory })
            expect(await ethers.provider.getTransactionCount(deployer)).to.equal(needed)
            const hub = await ethers.getContractAt('IHub', addresses.hub)
            expect(await hub.appregistry()).to.equal(addresses.appRegistry)
            expect(await hub.countCategory()).to.equal(5n)
          })
        })
      }
    }

    it('goes on although its last line was written in part', async () => {
      await withJournal(async (journalDirectory) => {
        const { connection } = await freshChain()
        const first = await deployMarketplace({ connection, journalDirectory })
        await appendFile(join(journalDirectory, 'journal.jsonl'), '\n{"type":"TRANSACTION_PREP')
        expect(await deployMarketplace({ connection, journalDirectory })).to.deep.equal(first)
      })
    })

    it('refuses to go on with other parameters', async () => {
      await withJournal(async (journalDirectory) => {
        const { connection, owner, holder } = await freshChain()
        await deployMarketplace({ connection, journalDirectory, parameters: { owner: owner.address } })
        const changed = { connection, journalDirectory, parameters: { owner: holder.address } }
        const refusal = await deployMarketplace(changed).catch((error: Error) => error)
        expect(refusal).to.be.an('error').with.property('message').that.includes('AppRegistry')
      })
    })
  })
})
