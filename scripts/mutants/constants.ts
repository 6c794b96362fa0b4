import { find, isNode, type Node, nodeIn, type Trees, typeOf } from './syntax.ts'

/**
 * The ids of the constants in whose values something is calculated, and of those whose values need these. At run time a
 * constant cannot ask which mutant it is to be, a function can.
 */
export function constantsWithOperators(trees: Trees): Set<number> {
  const constants = [...trees.values()].flatMap((tree) => find(tree, isConstant))
  const chosen = new Set(constants.filter((node) => find(nodeIn(node, 'value'), isOperator).length > 0).map(idOf))
  for (let before = -1; before !== chosen.size; ) {
    before = chosen.size
    for (const node of constants) if (needsAny(node, chosen)) chosen.add(idOf(node))
  }
  return chosen
}

/** The type in which the numbers of a constant are calculated. */
export function typeOfConstant(node: Node): string {
  const type = typeOf(node)
  return /^uint\d+$/.test(type) ? type : 'uint256'
}

function isConstant(node: Node): boolean {
  return node.nodeType === 'VariableDeclaration' && node.constant === true && isNode(node.value)
}

function isOperator(node: Node): boolean {
  return node.nodeType === 'BinaryOperation'
}

function needsAny(node: Node, ids: Set<number>): boolean {
  return find(nodeIn(node, 'value'), (inner) => ids.has(Number(inner.referencedDeclaration))).length > 0
}

function idOf(node: Node): number {
  return Number(node.id)
}
