// Writes the contracts anew so that each place asks, when it is passed, whether it is to be the original or a mutant.
import { posix } from 'node:path'
import { rewriteAssembly } from './assembly.ts'
import { constantsWithOperators, typeOfConstant } from './constants.ts'
import { rewriteExpression } from './expressions.ts'
import { rewriteFunction } from './functions.ts'
import { type Pen, rewriteIn, textOf } from './pen.ts'
import { noSites, type Sites } from './sites.ts'
import { isStatement, rewriteStatement } from './statements.ts'
import { SWITCH_SOURCE, switchSource } from './switch.ts'
import { type Node, nodeIn, parse, startOf } from './syntax.ts'

/** What the instrumented project consists of. */
export type Instrumented = { sources: Map<string, string>; sites: Sites }

/** Which sources have mutants: all but those for tests. */
const isOurs = (name: string) => name.startsWith('contracts/') && !name.startsWith('contracts/mocks/')

export function instrument(sources: Map<string, string>): Instrumented {
  const trees = parse(sources)
  const ours = new Map([...trees].filter(([name]) => isOurs(name)))
  const shared = { trees, sites: noSites(), operations: new Map<string, string>(), rewrite }
  const constants = constantsWithOperators(ours)
  const written = new Map(sources)
  for (const [file, tree] of [...ours].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const source = Buffer.from(sources.get(file) ?? '')
    // The licence stands before what the compiler takes for the beginning.
    const head = source.subarray(0, startOf(tree)).toString()
    written.set(file, head + rewrite({ ...shared, constants, file, source, function: '', around: [] }, tree))
  }
  written.set(SWITCH_SOURCE, switchSource(shared.operations))
  return { sources: written, sites: shared.sites }
}

/** The new text of a node. */
function rewrite(pen: Pen, node: Node): string {
  if (node.nodeType === 'PragmaDirective') return `${textOf(pen, node)}${importOf(pen.file)}`
  if (node.nodeType === 'ContractDefinition' && node.contractKind === 'interface') return textOf(pen, node)
  if (node.nodeType === 'FunctionDefinition') return rewriteFunction(pen, node)
  if (node.nodeType === 'InlineAssembly') return rewriteAssembly(pen, node)
  if (pen.constants.has(Number(node.id))) return rewriteConstant(pen, node)
  // What is not calculated when the contract runs has no place where it could ask.
  if (node.nodeType === 'VariableDeclaration' && node.constant === true) return textOf(pen, node)
  if (isStatement(pen, node)) return rewriteStatement(pen, node)
  return rewriteExpression(pen, node)
}

/** A constant whose value has operators becomes a function, which can ask like any other. */
function rewriteConstant(pen: Pen, node: Node): string {
  const name = String(node.name)
  const inside = { ...pen, function: name, constantType: typeOfConstant(node) }
  const type = textOf(pen, nodeIn(node, 'typeName'))
  const value = rewriteIn(inside, node, nodeIn(node, 'value'))
  return `function ${name}() ${node.visibility} pure returns (${type}) { return ${value}; }`
}

function importOf(file: string): string {
  const path = posix.relative(posix.dirname(file), SWITCH_SOURCE)
  return ` import {Mutation} from "${path.startsWith('.') ? path : `./${path}`}";`
}
