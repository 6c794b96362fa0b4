import type { Place, Sites } from './sites.ts'
import type { Operations } from './switch.ts'
import { childrenOf, type Node, startOf, type Trees, wholeEndOf } from './syntax.ts'

/** What is being written: one source, of which some node is next. */
export type Pen = Place & {
  trees: Trees
  sites: Sites
  operations: Operations
  /** Ids of the constants that become functions. */
  constants: Set<number>
  /** The nodes around the one that is next, the innermost last. */
  around: Node[]
  /** In a constant: the type that its numbers get. */
  constantType?: string
  /** The new text of a node of any kind. */
  rewrite: (pen: Pen, node: Node) => string
}

/** The same pen, one node further in. */
export function within(pen: Pen, node: Node): Pen {
  return { ...pen, around: [...pen.around, node] }
}

/** The new text of a node that lies in another. */
export function rewriteIn(pen: Pen, outer: Node, node: Node): string {
  return pen.rewrite(within(pen, outer), node)
}

/** The text of a node with its inner nodes rewritten; `instead` says what to write for some of them. */
export function copy(pen: Pen, node: Node, instead: Map<Node, string> = new Map()): string {
  const end = wholeEndOf(node, pen.source)
  let cursor = startOf(node)
  let text = ''
  for (const child of childrenOf(node)) {
    // The compiler files some nodes, such as documentation, under one that they do not lie in.
    if (startOf(child) < cursor || wholeEndOf(child, pen.source) > end) continue
    text += pen.source.subarray(cursor, startOf(child)).toString()
    text += instead.get(child) ?? rewriteIn(pen, node, child)
    cursor = wholeEndOf(child, pen.source)
  }
  return text + pen.source.subarray(cursor, end).toString()
}

/** The text of a node as it stands. */
export function textOf(place: Place, node: Node): string {
  return place.source.subarray(startOf(node), wholeEndOf(node, place.source)).toString()
}
