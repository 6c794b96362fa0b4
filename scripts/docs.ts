// `node scripts/docs.ts` checks docs/: whatever an error points to exists, no link is dead, nothing generated is stale.
// `node scripts/docs.ts --write` writes what is generated: configuration.md, errors.md, failures.md, proofs.md, the tests column of checklist.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { knownErrors } from '../packages/protocol/Revert.ts'
import { withTests } from './docs/checklist.ts'
import { configurationPage, type Process, unexplainedVariables } from './docs/configuration.ts'
import { errorsPage, unexplainedErrors } from './docs/errors.ts'
import { failures, failuresPage, unexplainedCauses } from './docs/failures.ts'
import { proofsPage } from './docs/proofs.ts'
import { fuzzRuns } from './prove/runs.ts'
import { root, run } from './run.ts'

const tracked = (await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'])).output.split('\n')
const sources = tracked.filter(
  (path) => /^(packages|deploy)\/.*(?<!\.test)\.ts$/.test(path) && existsSync(join(root, path)),
)
const committed = (await run('git', ['ls-files'])).output.split('\n').filter((path) => existsSync(join(root, path)))
const tests = committed.filter((path) => path.endsWith('.test.ts'))

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Names of the verifier's rules, which exist as a type only. */
function attestationRules(): string[] {
  const union = /export type Rule =\n((?: {2}\| '[\w-]+'\n)+)/.exec(read('packages/attestation/errors.ts'))?.[1] ?? ''
  return [...union.matchAll(/'([\w-]+)'/g)].map(([, rule = '']) => rule)
}

/** What the variable part of a `docsPath` can be. */
const variable: Record<string, string[]> = {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are the templates as the sources spell them
  '${rule}': attestationRules(),
  '${errorName.toLowerCase()}': knownErrors().map((name) => name.toLowerCase()),
  '${failure.toLowerCase()}': failures.map((name) => name.toLowerCase()),
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
}

type Pointer = { from: string; to: string }

/** Every `docsPath` in a source, written out. One that cannot be written out is passed on, and found missing. */
function docsPaths(from: string, text: string): Pointer[] {
  const found = [...text.matchAll(/docsPath\s*[:=]\s*(?:'([^']*)'|`([^`]*)`)/g)]
  return found.flatMap(([, plain, template = '']) => {
    if (plain !== undefined) return [{ from, to: plain }]
    const part = Object.keys(variable).find((key) => template.includes(key))
    const values = part === undefined ? undefined : variable[part]
    if (part === undefined || values === undefined || values.length === 0) return [{ from, to: template }]
    return values.map((value) => ({ from, to: template.replace(part, () => value) }))
  })
}

/** The anchors that GitHub gives to the headings of a page. */
function anchors(page: string): Set<string> {
  const seen = new Map<string, number>()
  const headings = [...withoutCode(page).matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading = '']) => slug(heading))
  return new Set(
    headings.map((name) => {
      const times = seen.get(name) ?? 0
      seen.set(name, times + 1)
      return times === 0 ? name : `${name}-${times}`
    }),
  )
}

function slug(heading: string): string {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
    .replaceAll(' ', '-')
}

function withoutCode(page: string): string {
  return page.replace(/^```[\s\S]*?^```/gm, '')
}

const pages = new Map<string, string>()
function pageText(path: string): string | undefined {
  if (!pages.has(path) && existsSync(join(root, path))) pages.set(path, read(path))
  return pages.get(path)
}

/** Why a heading of a page cannot be found, or nothing. */
function missing(file: string, anchor: string | undefined): string | undefined {
  const text = pageText(file)
  if (text === undefined) return `there is no ${file}`
  if (anchor === undefined || !file.endsWith('.md') || anchors(text).has(anchor)) return undefined
  return `${file} has no heading "${anchor}"`
}

function brokenPointer({ from, to }: Pointer): string[] {
  const [, page, anchor] = /^\/([\w-]+)(?:#(.+))?$/.exec(to) ?? []
  const reason = page === undefined ? 'it is no path of a page' : missing(`docs/${page}.md`, anchor)
  return reason === undefined ? [] : [`${from} points to "${to}": ${reason}`]
}

function brokenLinks(file: string, text: string): string[] {
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return links
    .filter((target) => !/^[a-z]+:/.test(target))
    .flatMap((target) => {
      const [path = '', anchor] = target.split('#')
      const at = path === '' ? file : relative(root, resolve(root, dirname(file), path))
      const isFolder = existsSync(join(root, at)) && !/\.\w+$/.test(at)
      const reason = isFolder ? undefined : missing(at, anchor)
      return reason === undefined ? [] : [`${file} links to "${target}": ${reason}`]
    })
}

/** Every process that has a configuration, with the schema that reads it. */
async function configured(): Promise<Process[]> {
  const paths = tracked.filter(
    (path) => /^packages\/\w+\/config\.ts$/.test(path) && path !== 'packages/server/config.ts',
  )
  return Promise.all(
    paths.sort().map(async (path) => {
      const { schema } = (await import(join(root, path))) as { schema: Pick<Process, 'shape'> }
      return { name: path.split('/')[1] ?? path, path, shape: schema.shape }
    }),
  )
}

const configuration = { processes: await configured(), read }
const solidity = { contracts: tracked.filter((path) => /^contracts\/.*\.sol$/.test(path)), read }
const generated: Record<string, () => string> = {
  'docs/configuration.md': () => configurationPage(configuration),
  'docs/errors.md': () => errorsPage(solidity),
  'docs/failures.md': () => failuresPage(),
  'docs/proofs.md': () =>
    proofsPage(
      {
        proofs: tracked.filter((path) => /^proofs\/\w+\.sol$/.test(path)),
        properties: tracked.filter((path) => /^test\/proofs\/\w+\.t\.sol$/.test(path)),
        read,
      },
      fuzzRuns,
    ),
  'docs/checklist.md': () => withTests(read('docs/checklist.md'), { tests, read }),
}

const problems: string[] = []
for (const [path, make] of Object.entries(generated)) {
  const text = make()
  if (process.argv.includes('--write')) writeFileSync(join(root, path), text)
  else if (text !== pageText(path)) problems.push(`${path} is stale: run \`node scripts/docs.ts --write\``)
}

for (const name of unexplainedErrors(solidity)) problems.push(`packages/protocol/Revert.ts does not explain ${name}`)
for (const name of unexplainedVariables(configuration)) problems.push(`${name} has no doc comment`)
for (const name of unexplainedCauses()) problems.push(`scripts/docs/failures.ts does not explain ${name}`)

// A check that finds nothing wrong with nonsense would prove nothing.
const nonsense = [...docsPaths('planted', "docsPath: '/run#no-such-heading'"), { from: 'planted', to: '/no-such-page' }]
if (nonsense.some((pointer) => brokenPointer(pointer).length === 0)) problems.push('a planted dead path is not noticed')
if (brokenLinks('docs/run.md', '[planted](nowhere.md)').length === 0)
  problems.push('a planted dead link is not noticed')

const pointers = sources.flatMap((path) => docsPaths(path, read(path)))
problems.push(...new Set(pointers.flatMap(brokenPointer)))
const written = tracked.filter((path) => /^(docs\/.+|README)\.md$/.test(path))
for (const path of written) problems.push(...brokenLinks(path, pageText(path) ?? ''))
const lost = written.filter(
  (path) => path.startsWith('docs/') && !(pageText('docs/index.md') ?? '').includes(path.slice(5)),
)
for (const path of lost) if (path !== 'docs/index.md') problems.push(`${path} is not listed in docs/index.md`)

for (const problem of problems) console.log(problem)
console.log(`${pointers.length} paths of errors and ${written.length} pages looked at, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
