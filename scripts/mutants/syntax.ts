import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../run.ts'

/** A node of the compiler's syntax tree. Members differ from kind to kind and are read where they are needed. */
export type Node = { nodeType: string; src: string; [member: string]: unknown }

/** The syntax trees of all sources of a build, by source name. */
export type Trees = Map<string, Node>

type Output = {
  errors?: { severity: string; formattedMessage: string }[]
  sources?: Record<string, { ast: Node }>
}

type Compiler = { compile(input: string, callbacks: { import: (path: string) => { contents: string } }): string }

/** Has the compiler read the sources, without making code: a matter of seconds. */
export function parse(sources: Map<string, string>): Trees {
  const require = createRequire(import.meta.url)
  const compiler = require('solc') as Compiler
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries([...sources].map(([name, content]) => [name, { content }])),
    settings: { outputSelection: { '*': { '': ['ast'] } } },
  }
  const output: Output = JSON.parse(compiler.compile(JSON.stringify(input), { import: dependency }))
  const failures = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  if (failures.length > 0) throw new Error(failures.map(({ formattedMessage }) => formattedMessage).join('\n'))
  return new Map(Object.entries(output.sources ?? {}).map(([name, { ast }]) => [name, ast]))
}

function dependency(path: string) {
  return { contents: readFileSync(join(root, 'node_modules', path), 'utf8') }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'nodeType' in value && 'src' in value
}

/** A member that is known to be a node in a node of this kind. */
export function nodeIn(node: Node, member: string): Node {
  const value = node[member]
  if (!isNode(value)) throw new Error(`A ${node.nodeType} has no node "${member}".`)
  return value
}

/** The nodes directly below a node, in the order of the source. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = []
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) children.push(item)
  }
  return children.sort((a, b) => startOf(a) - startOf(b))
}

/** All nodes of a tree that a test holds for. */
export function find(node: Node, wanted: (node: Node) => boolean): Node[] {
  const here = wanted(node) ? [node] : []
  return [...here, ...childrenOf(node).flatMap((child) => find(child, wanted))]
}

/** Offsets count bytes. */
export function startOf(node: Node): number {
  return Number(node.src.split(':')[0])
}

function endOf(node: Node): number {
  const [start = 0, length = 0] = node.src.split(':').map(Number)
  return start + length
}

const endsWithSemicolon = new Set([
  'ExpressionStatement',
  'EmitStatement',
  'RevertStatement',
  'VariableDeclarationStatement',
  'Return',
  'Break',
  'Continue',
  'PlaceholderStatement',
])

const bodies: Record<string, string[]> = {
  IfStatement: ['falseBody', 'trueBody'],
  ForStatement: ['body'],
  WhileStatement: ['body'],
}

/** The end of a node together with the semicolon that the compiler leaves out of a statement. */
export function wholeEndOf(node: Node, source: Buffer): number {
  const last = (bodies[node.nodeType] ?? []).map((member) => node[member]).find(isNode)
  if (last !== undefined) return wholeEndOf(last, source)
  if (!endsWithSemicolon.has(node.nodeType) && node.stateVariable !== true) return endOf(node)
  // What a loop does after each turn is a statement that ends with a parenthesis.
  const semicolon = source.indexOf(';', endOf(node))
  const between = source.subarray(endOf(node), semicolon).toString()
  return between.trim() === '' ? semicolon + 1 : endOf(node)
}

/** The type of an expression as the compiler spells it. */
export function typeOf(node: Node): string {
  const types = node.typeDescriptions as { typeString?: string } | undefined
  return types?.typeString ?? ''
}
