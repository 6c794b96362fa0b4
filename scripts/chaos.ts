// `npm run test:chaos`: deals through a marketplace whose parts are killed all the time, whose database is restarted and
// whose chain forgets blocks; then it is quiet, and everybody must say what the chain says.
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkAll } from './chaos/checks.ts'
import { claimExpired } from './chaos/claims.ts'
import { readHistory } from './chaos/history.ts'
import { gatherPeople } from './chaos/people.ts'
import { createRandom } from './chaos/random.ts'
import { startReceiver } from './chaos/receiver.ts'
import { report } from './chaos/report.ts'
import { quiet, runChaos } from './chaos/run.ts'
import { openScene } from './chaos/scene.ts'

const whole = (name: string, standard: number) => Number(process.env[name] ?? standard)

const deals = whole('CHAOS_DEALS', 1_000)
const requesters = whole('CHAOS_REQUESTERS', 50)
const seed = whole('SEED', Date.now() % 1_000_000)
const plan = {
  deals,
  enclaveOf: whole('CHAOS_ENCLAVE_OF', 5),
  reorgs: whole('CHAOS_REORGS', 10),
  restarts: whole('CHAOS_RESTARTS', 3),
  minutes: whole('CHAOS_MINUTES', 90),
}
/** How long the quiet may take to come, and what must hold to hold. */
const PATIENCE = 180_000

const directory = await mkdtemp(join(tmpdir(), 'chaos-'))
const random = createRandom(seed)
const losses: Record<string, number> = {}
console.log(`seed ${seed}; ${deals} deals of ${requesters} requesters; ${cpus().length} cores, ${cpus()[0]?.model}`)

const receiver = await startReceiver(random)
const scene = await openScene({
  directory,
  onLost: ({ service }) => {
    losses[service] = (losses[service] ?? 0) + 1
  },
})
/** Kept for whoever wants to know more: always when something does not hold. */
let keep = true
try {
  await scene.untilUp()
  const people = await gatherPeople(scene, { requesters, receiver })
  const from = await scene.chain.provider.getBlockNumber()
  await scene.chain.mineByClock(true)
  const since = performance.now()
  const claiming = claimExpired({ scene, from, category: people.category })
  const { progress, troubles, endedInTrouble } = await runChaos({ scene, people, plan, random, from })
  const busy = performance.now() - since
  await quiet({ scene, progress, from, patience: PATIENCE })
  await claiming.stop()

  let violations: Record<string, string[]> = {}
  for (const deadline = Date.now() + PATIENCE; ; await sleep(2_000)) {
    progress.history = await readHistory(scene.contracts.hub, from)
    violations = await checkAll({ scene, people, receiver, ...progress, removed: troubles.removed })
    if (Object.keys(violations).length === 0 || Date.now() > deadline) break
  }
  report({ endedInTrouble, progress, troubles, receiver, losses, busy, total: performance.now() - since, violations })
  const holds = Object.keys(violations).length === 0
  keep = !holds || process.env.CHAOS_KEEP === '1'
  process.exitCode = holds ? 0 : 1
} finally {
  await scene.close()
  await receiver.close()
  if (keep) console.log(`logs are kept in ${directory}`)
  else await rm(directory, { recursive: true, force: true })
}
