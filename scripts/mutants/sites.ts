import { FIRST } from './switch.ts'
import type { Node } from './syntax.ts'
import { startOf, wholeEndOf } from './syntax.ts'

/** One change to the contracts, small enough to be a slip of somebody's pen. */
export type Mutant = {
  number: number
  /** The number that is reported when the place is passed: that of the first of the mutants there. */
  site: number
  file: string
  line: number
  function: string
  change: string
  text: string
  /** Whether a test that passes the place is known to make a difference to the mutant, or not. */
  compares: boolean
  /** Which of several equal changes to equal texts of one function, from 1. */
  occurrence: number
}

/** A statement: what coverage is counted in. */
export type Statement = { site: number; file: string; line: number; lastLine: number; text: string }

/** Every place of the contracts that says when it is passed. */
export type Sites = { next: number; mutants: Mutant[]; statements: Statement[] }

/** Where in which source a node is. */
export type Place = { file: string; source: Buffer; function: string }

export function noSites(): Sites {
  return { next: FIRST, mutants: [], statements: [] }
}

/** Numbers a statement. */
export function addStatement(sites: Sites, place: Place, node: Node): number {
  const site = sites.next++
  const [start, end] = [startOf(node), wholeEndOf(node, place.source)]
  const [line, lastLine] = [lineAt(place.source, start), lineAt(place.source, end)]
  sites.statements.push({ site, file: place.file, line, lastLine, text: oneLine(place.source.subarray(start, end)) })
  return site
}

/** Numbers the mutants of a place, which share a site: their own, or that of the statement they are in. */
export function addMutants(
  sites: Sites,
  place: Place,
  node: Node,
  {
    changes,
    site = sites.next,
    first = sites.next,
    compares = false,
  }: { changes: string[]; site?: number; first?: number; compares?: boolean },
): number {
  const [start, end] = [startOf(node), wholeEndOf(node, place.source)]
  const text = oneLine(place.source.subarray(start, end))
  changes.forEach((change, index) => {
    const same = { file: place.file, function: place.function, change, text }
    const before = sites.mutants.filter((mutant) => isSame(mutant, same)).length
    const line = lineAt(place.source, start)
    sites.mutants.push({ ...same, number: first + index, site, line, compares, occurrence: before + 1 })
  })
  sites.next = Math.max(sites.next, first + changes.length)
  return first
}

function isSame(a: Mutant, b: Pick<Mutant, 'file' | 'function' | 'change' | 'text'>): boolean {
  return a.file === b.file && a.function === b.function && a.change === b.change && a.text === b.text
}

type Named = Pick<Mutant, 'file' | 'function' | 'change' | 'text' | 'occurrence'>

/** What a mutant is called in lists that outlive its number and its line. */
export function nameOf({ file, function: name, change, text, occurrence }: Named) {
  return `${file} ${name}: ${change} in "${text}"${occurrence > 1 ? ` (${occurrence})` : ''}`
}

function lineAt(source: Buffer, offset: number): number {
  return source.subarray(0, offset).toString().split('\n').length
}

function oneLine(text: Buffer): string {
  return text
    .toString()
    .replace(/\s+/g, ' ')
    .replace(/([([]) /g, '$1')
    .replace(/ ([)\]])/g, '$1')
    .trim()
}
