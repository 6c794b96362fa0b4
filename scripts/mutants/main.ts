// `npm run test:deep -- coverage` and `npm run test:deep -- mutants`; docs/mutants.md says how to use them.
import { parseArgs } from 'node:util'
import { build } from './project.ts'
import { rehearse } from './rehearsal.ts'
import { reportCoverage, reportLeftOut, reportMutants } from './report.ts'
import { addResult, forgetResults, readAccepted, readResults } from './results.ts'
import { type Mutant, nameOf } from './sites.ts'
import { Killers, sweep } from './sweep.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    mutant: { type: 'string', multiple: true },
    list: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    'keep-kills': { type: 'boolean', default: false },
    accepted: { type: 'boolean', default: false },
    processes: { type: 'string', default: '2' },
  },
})

const { fingerprint, ...sites } = await build()
const chosen = sites.mutants.filter(isChosen)

if (values.list) list(chosen)
else process.exitCode = (await (positionals[0] === 'coverage' ? coverage() : mutants())) ? 0 : 1

function isChosen({ number, file }: Mutant): boolean {
  const numbers = values.mutant?.flatMap((text) => text.split(',')).map(Number)
  return (numbers === undefined || numbers.includes(number)) && file.includes(values.only ?? '')
}

function list(those: Mutant[]) {
  for (const { number, file, line, function: where, change, text } of those) {
    console.log(`${number}  ${file}:${line} ${where}: ${change} in ${text}`)
  }
  console.log(`${those.length} mutants`)
}

async function coverage(): Promise<boolean> {
  const rehearsal = await rehearse({ build: fingerprint })
  reportLeftOut(rehearsal)
  return reportCoverage(sites, rehearsal)
}

async function mutants(): Promise<boolean> {
  const rehearsal = await rehearse({ build: fingerprint })
  reportLeftOut(rehearsal)
  if (values.again) forgetResults()
  const current = { build: fingerprint, rehearsal: rehearsal.fingerprint }
  const results = readResults(current, { keepKills: values['keep-kills'] })
  const accepted = readAccepted()
  const isOpen = (mutant: Mutant) => !results.has(mutant.number) && (values.accepted || !accepted.has(nameOf(mutant)))
  const open = chosen.filter((mutant) => values.mutant !== undefined || isOpen(mutant))
  console.log(`${open.length} mutants are to be tried: ${chosen.length - open.length} results are known, or accepted`)
  const started = performance.now()
  let done = 0
  const killers = new Killers()
  for (const mutant of sites.mutants) {
    const { by } = results.get(mutant.number) ?? {}
    if (by !== undefined) killers.add(mutant, by)
  }
  await sweep(open, rehearsal, {
    processes: Number(values.processes),
    killers,
    found(mutant, result) {
      results.set(mutant.number, result)
      addResult(current, result)
      if (values.mutant !== undefined) console.log(mutant, result)
      if (++done % 50 === 0) console.log(`${done} of ${open.length}, ${rate(done, started)} a minute`)
    },
  })
  if (done > 0) console.log(`${done} mutants tried, ${rate(done, started)} a minute`)
  return reportMutants(chosen, results, { accepted, whole: chosen.length === sites.mutants.length })
}

function rate(count: number, started: number): string {
  return ((count * 60_000) / (performance.now() - started)).toFixed(0)
}
