import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { skipWithoutAnvil } from '../../test/deploy/anvil.ts'
import type { Indexer } from './index.ts'
import { readGraphs, scanChain, sizes } from './testing/scan.ts'
import { createWalk } from './testing/walk.ts'
import { createWorld, type World } from './testing/world.ts'

/** More of them in `npm run test:deep`. */
const REORGS = Number(process.env.REORGS ?? 12)
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000)

describe('rows and the chain', function () {
  this.timeout(300_000 + REORGS * 5_000)

  /** Compares everything there is, once the rows have come as far as the chain. */
  async function expectEqual(world: World, indexer: Indexer) {
    const wanted = await scanChain(world)
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
      if (JSON.stringify(await readGraphs(indexer.url)) === JSON.stringify(wanted)) return wanted
    }
    expect(await readGraphs(indexer.url)).to.deep.equal(wanted)
    return wanted
  }

  it(`are the same after everything that can happen (seed ${SEED})`, async () => {
    const world = await createWorld()
    const walk = createWalk(world, { seed: SEED })
    await walk.prepare()
    const indexer = await world.start()
    for (let round = 0; round < 3; round++) await walk.all()
    const found = await expectEqual(world, indexer)
    const empty = Object.entries(sizes(found)).filter(([, size]) => size === 0)
    expect(empty.map(([name]) => name)).to.deep.equal(['taskFaileds'])
    await indexer.close()
    // And from the beginning, in one go.
    await world.database.query('truncate block, follow_cursor cascade')
    const again = await world.start()
    await expectEqual(world, again)
    await again.close()
    await world.close()
  })

  it(`are the same after ${REORGS} reorganisations of depth 1 to 20 (seed ${SEED})`, async function () {
    skipWithoutAnvil(this)
    const world = await createWorld({ node: 'anvil' })
    const walk = createWalk(world, { seed: SEED })
    await walk.prepare()
    const indexer = await world.start()
    const { provider } = world
    for (let reorg = 0; reorg < REORGS; reorg++) {
      const from = await provider.getBlockNumber()
      const snapshot = (await provider.send('evm_snapshot', [])) as string
      const depth = 1 + walk.random(20)
      while ((await provider.getBlockNumber()) - from < depth) await walk.step()
      // Sometimes the rows have seen all of what is forgotten, sometimes none.
      if (walk.random(2) === 0) await indexer.caughtUp()
      await provider.send('evm_revert', [snapshot])
      for (let steps = walk.random(4); steps > 0; steps--) await walk.step()
      await provider.send('evm_mine', [])
      if (reorg % 10 === 9 || reorg === REORGS - 1) await expectEqual(world, indexer)
    }
    await indexer.close()
    await world.close()
  })
})
