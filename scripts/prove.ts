// `node scripts/prove.ts`: proves what proofs/ states of the contracts' arithmetic, with the model checker of the compiler
// that compiles them. With names (`Shares Trust`), these proofs only.
import { execFile as execFileWithCallback } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Report, Verdict } from './prove/check.ts'
import { statementsOf } from './prove/statements.ts'
import { root } from './run.ts'

/** The solver needs one core each. */
const workers = 2

/** Twenty times what the longest takes on a machine that does nothing else. */
const timeout = 400_000

const execFile = promisify(execFileWithCallback)

const names = process.argv.slice(2)
const files = readdirSync(join(root, 'proofs')).filter((file) => file.endsWith('.sol'))
const proofs = files
  .map((file) => file.slice(0, -'.sol'.length))
  .filter((name) => names.length === 0 || names.includes(name))
// The proof that takes longest goes first.
const waiting = proofs.sort((one, other) => Number(other === 'Volumes') - Number(one === 'Volumes'))
const totals = { passing: 0, failing: 0 }

async function work(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await prove(name)
}

/** Every statement must be proved as it is written, and must be one that its function gets to. */
async function prove(name: string): Promise<void> {
  const started = performance.now()
  const path = `proofs/${name}.sol`
  const wanted: Verdict = name === 'Refuted' ? 'refuted' : 'proved'
  const written = await reportOn(path, 'written')
  const reached = await reportOn(path, 'false')
  const lines = [...written.problems]
  const statements = statementsOf(readFileSync(join(root, path), 'utf8'))
  let held = 0
  for (const { name: statement, words } of statements) {
    const verdict = written.verdicts[statement]
    const isReached = reached.verdicts[statement] === 'refuted'
    if (verdict === wanted && isReached) held += 1
    else lines.push(`${verdict}${isReached ? '' : ', and nothing gets to its claim'}: ${words}`)
  }
  if (statements.length === 0) lines.push('states nothing')
  totals.passing += held
  totals.failing += lines.length
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(
    `${lines.length === 0 ? 'ok    ' : 'FAILED'} ${name}: ${held} of ${statements.length} ${wanted} (${seconds} s)`,
  )
  for (const line of lines) console.log(`       ${line}`)
}

/** The solver has limits of its own, but no clock; a process that has none either is ended here, and tried once more. */
async function reportOn(path: string, claims: 'written' | 'false', tries = 2): Promise<Report> {
  try {
    const { stdout } = await execFile(process.execPath, ['scripts/prove/main.ts', path, claims], { cwd: root, timeout })
    return JSON.parse(stdout) as Report
  } catch (error) {
    console.log(`       ${path} (claims ${claims}) did not end well: ${error}`)
    if (tries > 1) return reportOn(path, claims, tries - 1)
    return { verdicts: {}, problems: [`no answer in ${timeout / 1000} s`] }
  }
}

await Promise.all(Array.from({ length: workers }, work))
console.log(`${totals.passing} passing`)
if (totals.failing > 0) console.log(`${totals.failing} failing`)
process.exitCode = totals.failing === 0 && totals.passing > 0 ? 0 : 1
