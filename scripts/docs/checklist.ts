/** A row of the checklist's table: number, what a user can do, which tests prove it. */
const row = /^\| (C\d\d) \| ([^|]+?) \| ([^|]*) \|$/gm

/** Names of tests and groups of tests that begin with numbers of rows: `describe('C12 ...`, `it('C40, C41: ...`. */
const named = /\b(?:describe|it)(?:\.\w+)?\(\s*['"`](C\d\d(?:[ ,+/]+(?:and )?C\d\d)*)\b/g

/** The checklist with its last column filled with the tests that are there, as links; "not yet" where none is. */
export function withTests(page: string, { tests, read }: { tests: string[]; read: (path: string) => string }): string {
  const found = new Map<string, string[]>()
  for (const path of tests) {
    const rows = [...read(path).matchAll(named)].flatMap(([, numbers = '']) => numbers.match(/C\d\d/g) ?? [])
    for (const number of new Set(rows)) found.set(number, [...(found.get(number) ?? []), path])
  }
  const known = new Set([...page.matchAll(row)].map(([, number = '']) => number))
  for (const number of found.keys()) if (!known.has(number)) throw new Error(`docs/checklist.md has no row ${number}`)
  return page.replace(row, (_, number: string, words: string) => {
    const links = found.get(number)?.map((path) => `[${path.replace(/^.*\//, '')}](../${path})`)
    return `| ${number} | ${words} | ${links?.join(', ') ?? 'not yet'} |`
  })
}
