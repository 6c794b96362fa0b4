// What the published client offers, as the package itself says; and what docs/compatibility.md leaves out of it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as published from 'iexec'

const page = join(fileURLToPath(new URL('../../..', import.meta.url)), 'docs', 'compatibility.md')

/** `module.method` of everything that can be called: on instances of the exported module classes, and `utils`. */
export function offered(config: published.IExecConfig): string[] {
  const classes = Object.entries(published).flatMap(([name, exported]) => {
    const [, noun] = /^IExec(\w+)Module$/.exec(name) ?? []
    return noun
      ? [{ noun: noun.toLowerCase(), made: (exported as typeof published.IExecModule).fromConfig(config) }]
      : []
  })
  const all = [...classes, { noun: 'utils', made: published.utils }]
  return all.flatMap(({ noun, made }) => functionsOf(made).map((name) => `${noun}.${name}`))
}

/** Own functions and those of every class that an object is an instance of; constructors (upper case) are none. */
function functionsOf(object: object): string[] {
  const names = new Set<string>()
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  const values = object as Record<string, unknown>
  return [...names].filter(
    (name) => typeof values[name] === 'function' && /^[a-z]/.test(name) && name !== 'constructor',
  )
}

/** The options of the client that the page shows. */
export function shownOptions(): string[] {
  const [, block = ''] = /^const options = \{$([\s\S]*?)^\}$/m.exec(readFileSync(page, 'utf8')) ?? []
  return [...block.matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name)
}

/** The rows of the page's table of what cannot work: method -> why. */
export function excluded(): Map<string, string> {
  const [, chapter = ''] = readFileSync(page, 'utf8').split(/^## What does not work$/m)
  const [table = ''] = chapter.split(/^## /m)
  return new Map(
    [...table.matchAll(/^\| `(\w+\.\w+)` \| (.+) \|$/gm)].map(([, method = '', why = '']) => [method, why]),
  )
}
