import type { Figures } from './measure.ts'
import { scenarios } from './scenarios/index.ts'
import type { Scenario } from './scenarios/scenario.ts'

export type Both = { ours: Figures; reference: Figures }
type Row = string[]

/** The page docs/gas.md. */
export function gasPage(figures: Both, { hardfork, reference }: { hardfork: string; reference: string }): string {
  const aimed = scenarios.filter(({ target }) => target !== undefined)
  const missed = aimed.filter((scenario) => !isMet(scenario, figures.ours))
  return `# Gas

<!-- Written by \`npm run bench:gas\`. -->

What calls cost, as gas used by the whole transaction: ours beside the reference protocol's, that is the bytecode that its
authors published as ${reference}. Both are deployed on one chain in memory (hardfork ${hardfork}) and asked the same in one
run: the same accounts, orders, prices and results. \`ratio\` is ours in percent of the reference's.

Every line starts from the same busy market: all who pay or earn have a deposit already, payer and pool have something
locked in another deal, the kitty holds something before a claim. Prices per task are 1,000 (app), 1,000,000 (dataset)
and 1,000,000,000 (workerpool) units; orders are for category 0 and restrict nobody; results are 85 bytes of JSON; a
callback carries 32 bytes to a contract that keeps them. Where the reference needs several transactions for what ours do
in one, its column is their sum.

Our column is the committed snapshot \`test/gas/snapshot.json\`, which \`npm test\` compares with what it measures, to the
last unit, and with this page. Each side deposits a token of its own; a transfer of the reference's costs 500 more.

## Targets

${aimed.length - missed.length} of ${aimed.length} targets are met.

${table(
  ['operation', 'reference', 'ours', 'ratio', 'ours at most', ''],
  aimed.map((scenario) => [...cells(scenario, figures), format(scenario.target), verdict(scenario, figures.ours)]),
)}

## Other calls

${table(
  ['operation', 'reference', 'ours', 'ratio'],
  scenarios.filter(({ target }) => target === undefined).map((scenario) => cells(scenario, figures)),
)}

## What the lines mean

${scenarios
  .filter(({ note }) => note !== undefined)
  .map(({ name, note }) => `* ${name}: ${note}.`)
  .join('\n')}

## The reference's column

Its next release, 6.2, was measured once with the same prices. Where the published release is off by more than one percent:

${table(
  ['operation', reference, 'release 6.2', 'difference', 'because'],
  scenarios.filter((scenario) => isOff(scenario, figures.reference)).map((scenario) => comparison(scenario, figures)),
)}
`
}

/** What a page says of ours, to be held against what is true. */
export function oursOf(page: string): Figures {
  const rows = page.split('\n').filter((line) => line.startsWith('| '))
  const known = new Set(scenarios.map(({ name }) => name))
  const figures: Figures = {}
  for (const row of rows) {
    const [, name = '', , ours = ''] = row.split('|').map((cell) => cell.trim())
    if (known.has(name) && figures[name] === undefined) figures[name] = Number(ours.replaceAll(',', ''))
  }
  return figures
}

function cells({ name }: Scenario, { ours, reference }: Both): Row {
  const [mine, theirs] = [ours[name], reference[name]]
  const ratio = mine === undefined || theirs === undefined ? '' : `${((mine / theirs) * 100).toFixed(1)} %`
  return [name, format(theirs), format(mine), ratio]
}

function verdict(scenario: Scenario, ours: Figures): string {
  if (isMet(scenario, ours)) return 'met'
  return `**missed** by ${format((ours[scenario.name] ?? 0) - (scenario.target ?? 0))}`
}

function isMet({ name, target = 0 }: Scenario, ours: Figures): boolean {
  return (ours[name] ?? Number.POSITIVE_INFINITY) <= target
}

function isOff({ name, expected }: Scenario, reference: Figures): boolean {
  const measured = reference[name]
  return measured !== undefined && expected !== undefined && Math.abs(measured / expected - 1) > 0.01
}

function comparison({ name, expected = 0, because = '**not explained**' }: Scenario, { reference }: Both): Row {
  const measured = reference[name] ?? 0
  return [name, format(measured), format(expected), `${((measured / expected - 1) * 100).toFixed(1)} %`, because]
}

function format(gas: number | undefined): string {
  return gas === undefined ? '-' : gas.toLocaleString('en-US')
}

function table(head: Row, rows: Row[]): string {
  const rule = head.map((_, index) => (index > 0 && index < 4 ? '---:' : '---'))
  return [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}
