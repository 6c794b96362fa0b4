// What our calls cost, to the last unit. Measured on a chain of its own, so that no other test has a hand in it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import hre from 'hardhat'
import { type Chain, startChain } from '../../scripts/bench/chain.ts'
import { type Market, openMarket } from '../../scripts/bench/market.ts'
import { type Figures, measure, scenariosOf } from '../../scripts/bench/measure.ts'
import { deployOurs } from '../../scripts/bench/ours.ts'
import { oursOf } from '../../scripts/bench/report.ts'
import { differences, howToUpdate, readSnapshot, writeSnapshot } from '../../scripts/bench/snapshot.ts'
import { root } from '../../scripts/run.ts'

describe('gas', function () {
  this.timeout(120_000)
  const updating = process.env.UPDATE_GAS === '1'
  const snapshot = readSnapshot()
  const measured: Figures = {}
  const scenarios = scenariosOf({ side: 'ours' })
  let chain: Chain
  let market: Market

  before(async function () {
    if (hre.globalOptions.coverage) {
      console.log('    Gas is not compared: the counting of covered lines is in the measured code.')
      this.skip()
    }
    chain = await startChain()
    market = await openMarket(chain, await deployOurs(chain))
  })

  for (const scenario of scenarios) {
    it(`${scenario.name} costs what the snapshot says`, async () => {
      const { name } = scenario
      measured[name] = await measure(market, scenario)
      if (updating) return
      const [difference] = differences(pick(snapshot, name), pick(measured, name))
      if (difference !== undefined) expect.fail(`${difference}\n${howToUpdate}`)
    })
  }

  it('the snapshot holds nothing that is not measured', () => {
    if (updating) writeSnapshot(measured)
    else
      expect(Object.keys(snapshot)).to.have.members(
        scenarios.map(({ name }) => name),
        howToUpdate,
      )
  })

  it('docs/gas.md shows the figures of the snapshot', () => {
    if (updating) return
    const shown = oursOf(readFileSync(join(root, 'docs', 'gas.md'), 'utf8'))
    const stale = Object.keys({ ...shown, ...snapshot }).filter((name) => shown[name] !== snapshot[name])
    if (stale.length > 0) expect.fail(`Run \`npm run bench:gas\`: docs/gas.md is stale in ${stale.join('; ')}`)
  })

  after(() => chain?.close())
})

function pick(figures: Figures, name: string): Figures {
  const figure = figures[name]
  return figure === undefined ? {} : { [name]: figure }
}
