import { createRequire } from 'node:module'

type Location = { file: string; start: number; end: number }

/** What the compiler has to say about a place of a source. */
export type Message = { severity: 'error' | 'warning' | 'info'; message: string; sourceLocation?: Location }

type Input = { sources: Record<string, { content: string }>; settings: object }
type Output = { errors?: Message[]; sources?: Record<string, { ast: unknown }> }
type Import = (path: string) => { contents: string } | { error: string }

const solc = createRequire(import.meta.url)('solc') as {
  compile: (input: string, callbacks?: { import: Import }) => string
}

/** Runs the pinned compiler. */
export function compile(input: Input, resolve?: Import): Output {
  const callbacks = resolve === undefined ? undefined : { import: resolve }
  return JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', ...input }), callbacks)) as Output
}
