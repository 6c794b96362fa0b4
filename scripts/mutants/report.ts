import type { Rehearsal } from './rehearsal.ts'
import type { Result } from './results.ts'
import { type Mutant, nameOf, type Sites } from './sites.ts'

/** Prints what of the contracts no test reaches, and tells whether that is nothing. */
export function reportCoverage({ statements }: Sites, { reached }: Rehearsal): boolean {
  const seen = new Set(reached)
  const missed = statements.filter(({ site }) => !seen.has(site))
  const lines = (list: typeof statements) => new Set(list.map(({ file, line }) => `${file}:${line}`))
  const [all, open] = [lines(statements).size, lines(missed).size]
  for (const { file, line, text } of missed) console.log(`not reached  ${file}:${line}  ${short(text)}`)
  console.log(
    `coverage: ${statements.length - missed.length} of ${statements.length} statements (${percent(missed, statements)}), ` +
      `${all - open} of ${all} lines`,
  )
  return missed.length === 0
}

function percent(missed: unknown[], all: unknown[]): string {
  return `${((100 * (all.length - missed.length)) / all.length).toFixed(2)} %`
}

export function reportLeftOut({ leftOut, cutShort, tests }: Rehearsal) {
  for (const { title, message } of leftOut) console.log(`left out     ${title}: ${message}`)
  for (const { title, message } of cutShort) console.log(`cut short    ${title}: ${message}`)
  console.log(`${tests.length} tests are used, ${leftOut.length} hold for the contracts as they are only`)
}

/**
 * Prints the survivors and a table, and tells whether all is well: every survivor is accepted and, if `whole`, nothing is
 * accepted that does not survive.
 */
export function reportMutants(
  mutants: Mutant[],
  results: Map<number, Result>,
  { accepted, whole }: { accepted: Map<string, string>; whole: boolean },
): boolean {
  const survivors = mutants.filter(({ number }) => isAlive(results.get(number)))
  const names = new Set(survivors.map(nameOf))
  const unlisted = survivors.filter((mutant) => !accepted.has(nameOf(mutant)))
  const needless = whole ? [...accepted.keys()].filter((name) => !names.has(name)) : []
  for (const { number, file, line, function: where, change, text } of unlisted) {
    const outcome = results.get(number)?.outcome === 'unreached' ? 'unreached' : 'survived '
    console.log(`${outcome}  ${number}  ${file}:${line} ${where}: ${change} in ${short(text)}`)
  }
  for (const name of needless) console.log(`accepted, but killed or gone: ${name}`)
  console.log(table(mutants, results, accepted))
  console.log(
    `${mutants.length} mutants, ${mutants.length - survivors.length} killed, ${survivors.length} survived, ` +
      `of which ${survivors.length - unlisted.length} are accepted`,
  )
  return unlisted.length === 0 && needless.length === 0
}

function isAlive(result: Result | undefined): boolean {
  return result?.outcome !== 'killed'
}

function table(mutants: Mutant[], results: Map<number, Result>, accepted: Map<string, string>): string {
  const fates = ['killed', 'accepted', 'survived', 'unreached', 'not tried'] as const
  const fateOf = (mutant: Mutant): (typeof fates)[number] => {
    const outcome = results.get(mutant.number)?.outcome ?? 'not tried'
    return outcome !== 'killed' && accepted.has(nameOf(mutant)) ? 'accepted' : outcome
  }
  const row = (name: string, those: Mutant[]) => {
    const counts = fates.map((fate) => those.filter((mutant) => fateOf(mutant) === fate).length)
    return [name, those.length, ...counts].map(String)
  }
  const files = [...new Set(mutants.map(({ file }) => file))].sort()
  const rows = files.map((file) =>
    row(
      file,
      mutants.filter((mutant) => mutant.file === file),
    ),
  )
  const cells = [['', 'mutants', ...fates], ...rows, row('all', mutants)]
  const width = Math.max(...cells.map(([name = '']) => name.length))
  return cells
    .map(([name = '', ...rest]) => name.padEnd(width) + rest.map((cell) => cell.padStart(11)).join(''))
    .join('\n')
}

function short(text: string): string {
  return text.length > 140 ? `${text.slice(0, 137)}...` : text
}
