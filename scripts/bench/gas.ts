// `npm run bench:gas`: what each call costs, the reference's contracts and ours side by side on one chain.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run.ts'
import { startChain } from './chain.ts'
import { openMarket } from './market.ts'
import { measureAll } from './measure.ts'
import { deployOurs } from './ours.ts'
import { deployReference, reference } from './reference.ts'
import { gasPage } from './report.ts'
import { differences, howToUpdate, readSnapshot } from './snapshot.ts'

const chain = await startChain()
const ours = await measureAll(await openMarket(chain, await deployOurs(chain)))
const theirs = await measureAll(await openMarket(chain, await deployReference(chain)))
await chain.close()

const page = gasPage({ ours, reference: theirs }, { hardfork: chain.hardfork, reference: reference.name })
writeFileSync(join(root, 'docs', 'gas.md'), page)
console.log(page)

// The page shows what was measured now; a snapshot that says otherwise fails `npm test`, so it is told here already.
const stale = differences(readSnapshot(), ours)
if (stale.length > 0) console.log(`The snapshot differs:\n${stale.join('\n')}\n${howToUpdate}`)
process.exitCode = stale.length > 0 ? 1 : 0
