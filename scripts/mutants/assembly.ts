import { assembly } from './operators.ts'
import { type Pen, textOf } from './pen.ts'
import { addMutants, addStatement } from './sites.ts'
import { childrenOf, find, isNode, type Node, nodeIn, startOf, wholeEndOf } from './syntax.ts'

/** What the rewriting of one block of assembly needs to know and collects. */
type Block = {
  pen: Pen
  site: number
  functions: string[]
  /** What stands in assembly for the constants that became functions, by where they are mentioned. */
  constants: Map<number, string>
  /** Where pointers are set that must be: the compiler refuses a pointer that is set on a condition only. */
  pointers: Set<number>
}

/** The new text of a block of assembly: it asks once, before; the functions that it calls instead of operators lie in it. */
export function rewriteAssembly(pen: Pen, node: Node): string {
  const site = addStatement(pen.sites, pen, node)
  const references = node.externalReferences as { declaration: number; src: string }[]
  const constants = references.filter(({ declaration }) => pen.constants.has(declaration))
  const pointers = references.filter(({ declaration }) => isPointer(pen, declaration))
  const code = nodeIn(node, 'AST')
  const block: Block = {
    pen,
    site,
    functions: [],
    constants: new Map(constants.map(({ declaration, src }) => [offsetOf(src), `constant_${declaration}_${site}`])),
    pointers: new Set(pointers.map(({ src }) => offsetOf(src))),
  }
  const body = copyYul(block, code).slice(1)
  const head = pen.source.subarray(startOf(node), startOf(code)).toString()
  const locals = new Map(constants.map(({ declaration, src }) => [declaration, offsetOf(src)]))
  const declarations = [...locals].map(([declaration, offset]) => {
    return `uint256 constant_${declaration}_${site} = ${nameAt(pen, code, offset)}(); `
  })
  const text = `uint256 mutant_${site} = Mutation.number(${site}); ${declarations.join('')}${head}{ ${block.functions.join(' ')} ${body}`
  const outer = pen.around.at(-1)?.nodeType
  return outer === 'Block' || outer === 'UncheckedBlock' ? text : `{ ${text} }`
}

function offsetOf(src: string): number {
  return Number(src.split(':')[0])
}

function nameAt(pen: Pen, code: Node, offset: number): string {
  const [node] = find(code, (inner) => inner.nodeType === 'YulIdentifier' && startOf(inner) === offset)
  return node === undefined ? '' : textOf(pen, node)
}

function isPointer(pen: Pen, declaration: number): boolean {
  const tree = pen.trees.get(pen.file)
  const [node] = tree === undefined ? [] : find(tree, ({ id }) => id === declaration)
  return node?.storageLocation === 'calldata' || node?.storageLocation === 'storage'
}

function copyYul(block: Block, node: Node): string {
  const { source } = block.pen
  let cursor = startOf(node)
  let text = ''
  for (const child of childrenOf(node)) {
    text += source.subarray(cursor, startOf(child)).toString() + rewriteYul(block, child)
    cursor = wholeEndOf(child, source)
  }
  return text + source.subarray(cursor, wholeEndOf(node, source)).toString()
}

function rewriteYul(block: Block, node: Node): string {
  // A function of assembly sees no variable from outside, so it cannot ask.
  if (node.nodeType === 'YulFunctionDefinition') return textOf(block.pen, node)
  if (node.nodeType === 'YulIdentifier') return block.constants.get(startOf(node)) ?? textOf(block.pen, node)
  if (node.nodeType === 'YulFunctionCall') return rewriteCall(block, node)
  if (node.nodeType === 'YulExpressionStatement' || node.nodeType === 'YulAssignment') return deletable(block, node)
  return copyYul(block, node)
}

function rewriteCall(block: Block, node: Node): string {
  const callee = nodeIn(node, 'functionName')
  const name = String(callee.name)
  const operation = assembly[name]
  if (operation === undefined) return copyYul(block, node)
  const changes = operation.mutants.map((mutant) => `${name} becomes ${mutant}`)
  const { pen, site } = block
  const n = addMutants(pen.sites, pen, node, { changes, site })
  const cases = operation.mutants.map((mutant, index) => `case ${n + index} { r := ${mutant} }`)
  const original = `default { r := ${name}(${operation.parameters}) }`
  block.functions.push(
    `function site_${n}(m, ${operation.parameters}) -> r { switch m ${cases.join(' ')} ${original} }`,
  )
  const args = Array.isArray(node.arguments) ? node.arguments.filter(isNode) : []
  return `site_${n}(mutant_${site}, ${args.map((argument) => rewriteYul(block, argument)).join(', ')})`
}

function deletable(block: Block, node: Node): string {
  const targets = Array.isArray(node.variableNames) ? node.variableNames.filter(isNode) : []
  if (targets.some((target) => block.pointers.has(startOf(target)))) return copyYul(block, node)
  const { pen, site } = block
  const n = addMutants(pen.sites, pen, node, { changes: ['statement deleted'], site })
  return `if iszero(eq(mutant_${site}, ${n})) { ${copyYul(block, node)} }`
}
