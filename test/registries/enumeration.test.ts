import { expect } from 'chai'
import { deployedMarketplace, ethers, getStorageAt, loadFixture, setStorageAt } from '../fixtures.ts'

/** Enough to need several words of six serials for one owner. */
const COUNT = 14

type Market = Awaited<ReturnType<typeof deployedMarketplace>>

/** `datasetOwner` and `appOwner` own datasets in turn: two of three belong to the former. */
async function manyDatasets() {
  const market = await loadFixture(deployedMarketplace)
  const { datasetRegistry, datasetOwner, appOwner } = market
  const created: { id: bigint; owner: string }[] = []
  for (let i = 0; i < COUNT; i++) {
    const owner = i % 3 === 2 ? appOwner.address : datasetOwner.address
    const fields = [owner, `dataset ${i}`, '0x', ethers.ZeroHash] as const
    await datasetRegistry.createDataset(...fields)
    created.push({ id: BigInt(await datasetRegistry.predictDataset(...fields)), owner })
  }
  return { ...market, created }
}

async function listOf({ datasetRegistry }: Pick<Market, 'datasetRegistry'>, owner: string): Promise<bigint[]> {
  const count = Number(await datasetRegistry.balanceOf(owner))
  return Promise.all(Array.from({ length: count }, (_, i) => datasetRegistry.tokenOfOwnerByIndex(owner, i)))
}

describe('tokenByIndex and totalSupply', () => {
  it('list every token in the order of creation', async () => {
    const { datasetRegistry, created } = await loadFixture(manyDatasets)
    expect(await datasetRegistry.totalSupply()).to.equal(COUNT)
    for (const [index, { id }] of created.entries()) expect(await datasetRegistry.tokenByIndex(index)).to.equal(id)
  })

  it('refuse an index past the end', async () => {
    const { datasetRegistry } = await loadFixture(manyDatasets)
    await expect(datasetRegistry.tokenByIndex(COUNT))
      .to.be.revertedWithCustomError(datasetRegistry, 'ERC721OutOfBoundsIndex')
      .withArgs(ethers.ZeroAddress, COUNT)
  })
})

describe('tokenOfOwnerByIndex and balanceOf', () => {
  it('list the tokens of each owner in the order in which they came', async () => {
    const { datasetRegistry, created, datasetOwner, appOwner } = await loadFixture(manyDatasets)
    for (const { address } of [datasetOwner, appOwner]) {
      const mine = created.filter(({ owner }) => owner === address).map(({ id }) => id)
      expect(await listOf({ datasetRegistry }, address)).to.deep.equal(mine)
    }
  })

  it('refuse an index past the end', async () => {
    const { datasetRegistry, datasetOwner } = await loadFixture(manyDatasets)
    const count = await datasetRegistry.balanceOf(datasetOwner)
    await expect(datasetRegistry.tokenOfOwnerByIndex(datasetOwner, count))
      .to.be.revertedWithCustomError(datasetRegistry, 'ERC721OutOfBoundsIndex')
      .withArgs(datasetOwner.address, count)
  })

  it('know nothing of somebody without tokens', async () => {
    const { datasetRegistry, anyone } = await loadFixture(manyDatasets)
    expect(await datasetRegistry.balanceOf(anyone)).to.equal(0n)
  })

  it('refuse the zero address', async () => {
    const { datasetRegistry } = await loadFixture(manyDatasets)
    await expect(datasetRegistry.balanceOf(ethers.ZeroAddress))
      .to.be.revertedWithCustomError(datasetRegistry, 'ERC721InvalidOwner')
      .withArgs(ethers.ZeroAddress)
  })
})

describe('the lists of the owners', () => {
  it('stay complete and without doubles through a random walk of transfers', async () => {
    const { datasetRegistry, created, datasetOwner, appOwner, anyone } = await loadFixture(manyDatasets)
    const people = [datasetOwner, appOwner, anyone]
    const model = new Map(created.map(({ id, owner }) => [id, owner]))
    let seed = 42
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    for (let step = 0; step < 60; step++) {
      const { id = 0n } = created[next(created.length)] ?? {}
      const from = people.find(({ address }) => address === model.get(id))
      const to = people[next(people.length)]
      if (from === undefined || to === undefined) throw new Error('The model lost a token.')
      await datasetRegistry.connect(from).transferFrom(from, to, id)
      model.set(id, to.address)
      for (const { address } of [from, to]) {
        const expected = [...model].filter(([, owner]) => owner === address).map(([token]) => token)
        expect(await listOf({ datasetRegistry }, address)).to.have.members(expected)
      }
    }
    for (const [id, owner] of model) expect(await datasetRegistry.ownerOf(id)).to.equal(owner)
    expect(await datasetRegistry.totalSupply()).to.equal(COUNT)
  })
})

describe('a registry with as many entries as a serial can count', () => {
  it('refuses one more', async () => {
    const { datasetRegistry, datasetOwner } = await loadFixture(deployedMarketplace)
    const slot = await lengthSlot()
    const full = 2n ** 40n
    await setStorageAt(datasetRegistry.target.toString(), slot, full)
    expect(await datasetRegistry.totalSupply()).to.equal(full)
    await expect(datasetRegistry.createDataset(datasetOwner, 'last', '0x', ethers.ZeroHash))
      .to.be.revertedWithCustomError(datasetRegistry, 'RegistryIsFull')
      .withArgs(full - 1n)
  })

  it('still takes the last one', async () => {
    const { datasetRegistry, datasetOwner } = await loadFixture(deployedMarketplace)
    await setStorageAt(datasetRegistry.target.toString(), await lengthSlot(), 2n ** 40n - 1n)
    await datasetRegistry.createDataset(datasetOwner, 'last', '0x', ethers.ZeroHash)
    const id = await datasetRegistry.predictDataset(datasetOwner, 'last', '0x', ethers.ZeroHash)
    expect(await datasetRegistry.tokenOfOwnerByIndex(datasetOwner, 0)).to.equal(BigInt(id))
  })
})

/** The slot that counts all tokens: the one that holds 1 after the first creation, and 2 after the second. */
async function lengthSlot(): Promise<number> {
  const { datasetRegistry, datasetOwner } = await loadFixture(deployedMarketplace)
  const registry = datasetRegistry.target.toString()
  for (const name of ['a', 'b']) await datasetRegistry.createDataset(datasetOwner, name, '0x', ethers.ZeroHash)
  for (let slot = 0; slot < 20; slot++) {
    if (BigInt(await getStorageAt(registry, slot)) === 2n) {
      await loadFixture(deployedMarketplace)
      return slot
    }
  }
  throw new Error('No slot counts the tokens.')
}
