import { everything } from '../../packages/protocol/contracts.ts'
import { ContractRevertError, knownErrors } from '../../packages/protocol/Revert.ts'
import { wrap } from './wrap.ts'

/** Chapters of the page, in order: the file that declares an error says where it belongs. */
const chapters: [string, RegExp][] = [
  ['Match', /\/IDeals\.sol$/],
  ['Orders', /\/(IOrders|ISignatures)\.sol$/],
  ['Tasks', /\/(ITasks|IViews|IFailures|ICallbackRelay)\.sol$/],
  ['Replicated tasks', /\/IConsensus\.sol$/],
  ['Bulk and multicall', /\/(IBulk|IMulticall)\.sol$/],
  ['Escrow', /\/(IEscrow|ITokenEscrow|INativeEscrow|IStakedToken)\.sol$/],
  ['Administration', /\/(IAdmin|IHub)\.sol$|^contracts\/(Hub|HubNative|HubOffice|HubViews)\.sol$|\/hub\//],
  [
    'Registries and assets',
    /\/(IRegistry|I(App|Dataset|Workerpool)(Registry)?|IEntry|IDataProtector)\.sol$|\/registries\//,
  ],
  ['Token', /\/ILocalToken\.sol$|\/token\//],
]
const introduction = `<!-- Written by \`node scripts/docs.ts --write\`: change the sentences in packages/protocol/Revert.ts. -->

What a contract refuses, in words. Our libraries print the sentence with its values and the remedy; with this page a
wallet or an explorer that shows a name and numbers can be read too. A refused transaction costs its sender gas and
changes nothing. Amounts are in units of the token (10^-9), times in unix seconds of the chain.

A match that breaks several rules reports the first in the order of the chapter "Match". \`explainMatch\` of the SDK
lists all of them: see [the rules](orders.md#rules).`

const others = 'Shared, and of libraries'

/** docs/errors.md: every error of the contracts, out of the tables that also explain it in the code. */
export function errorsPage({ contracts, read }: Sources): string {
  const declared = declaredErrors({ contracts, read })
  const chapterOf = (name: string) => {
    const path = declared.find((error) => error.name === name)?.path ?? ''
    return chapters.find(([, pattern]) => pattern.test(path))?.[0] ?? others
  }
  const sections = [...chapters.map(([title]) => title), others].flatMap((title) => {
    const names = knownErrors().filter((name) => chapterOf(name) === title)
    return names.length === 0 ? [] : [`## ${title}`, ...names.map((name) => section(name, declared))]
  })
  return `${['# Errors of the contracts', introduction, ...sections].join('\n\n')}\n`
}

/** Errors of the contracts that the code has no sentence for. */
export function unexplainedErrors(sources: Sources): string[] {
  const known = new Set(knownErrors())
  return declaredErrors(sources).flatMap(({ name }) => (known.has(name) ? [] : [name]))
}

/** Paths of the Solidity files, and how to read one. */
export type Sources = { contracts: string[]; read: (path: string) => string }

type Declared = { name: string; thrown: string | undefined; path: string }

function declaredErrors({ contracts, read }: Sources): Declared[] {
  return contracts
    .filter((path) => !/\/(mocks|examples)\//.test(path))
    .flatMap((path) => declarations(read(path)).map((error) => ({ ...error, path })))
}

/** Custom errors of a Solidity source, with what their `@notice` says. */
function declarations(source: string): Omit<Declared, 'path'>[] {
  return [...source.matchAll(/((?:^ *\/\/\/.*\n)*)^ *error (\w+)\(/gm)].map(([, comment = '', name = '']) => {
    const words = comment.replace(/^ *\/\/\/ ?/gm, '').replace(/\s+/g, ' ')
    return { name, thrown: /@notice (.+?)(?: @\w+|$)/.exec(words)?.[1]?.trim() }
  })
}

function section(name: string, declared: Declared[]): string {
  const values = new Proxy({}, { get: (_, key) => `\`${String(key)}\``, ownKeys: () => [] })
  const error = new ContractRevertError({ errorName: name, values })
  const signature = everything
    .getError(name)
    ?.format('full')
    .replace(/^error /, '')
  const thrown = declared.find((one) => one.name === name)?.thrown
  return [
    `### ${name}`,
    ...(signature === undefined ? [] : [`\`${signature}\``]),
    wrap([error.shortMessage, ...error.metaMessages].join(' ')),
    ...(thrown === undefined ? [] : [wrap(`*${thrown}*`)]),
  ].join('\n\n')
}
