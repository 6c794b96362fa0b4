import { turnedCondition } from './expressions.ts'
import { copy, type Pen } from './pen.ts'
import { addMutants, addStatement } from './sites.ts'
import { isNode, type Node, nodeIn, typeOf } from './syntax.ts'

const statements = new Set([
  'ExpressionStatement',
  'EmitStatement',
  'RevertStatement',
  'VariableDeclarationStatement',
  'Return',
  'IfStatement',
  'ForStatement',
  'WhileStatement',
  'DoWhileStatement',
  'Break',
  'Continue',
  'TryStatement',
])

const isBlock = (node: Node | undefined) => node?.nodeType === 'Block' || node?.nodeType === 'UncheckedBlock'

/** Whether a node is a statement of its own: the head of a loop has none, however they look. */
export function isStatement(pen: Pen, node: Node): boolean {
  if (!statements.has(node.nodeType)) return false
  const outer = pen.around.at(-1)
  return outer?.nodeType !== 'ForStatement' || outer.body === node
}

/** The new text of a statement: it reports that it is reached, and is left out where that is its mutant. */
export function rewriteStatement(pen: Pen, node: Node): string {
  const change = deletionOf(node)
  const site = addStatement(pen.sites, pen, node)
  if (change !== undefined) {
    addMutants(pen.sites, pen, node, { changes: [change], site, first: site })
    return `{ if (!Mutation.active(${site})) ${copy(pen, node)} }`
  }
  const text = `Mutation.active(${site}); ${copy(pen, node, turnedCondition(pen, node))}`
  return isBlock(pen.around.at(-1)) ? text : `{ ${text} }`
}

/** What it is called when the statement is left out; nothing for one that cannot be. */
function deletionOf(node: Node): string | undefined {
  if (node.nodeType === 'EmitStatement') return 'emit deleted'
  if (node.nodeType === 'RevertStatement') return 'revert deleted'
  if (node.nodeType !== 'ExpressionStatement') return undefined
  const expression = nodeIn(node, 'expression')
  if (isNode(expression.expression) && expression.expression.name === 'require') return 'require deleted'
  return setsPointer(expression) ? undefined : 'statement deleted'
}

/** A pointer into storage or calldata must be set before it is used: the compiler refuses anything else. */
function setsPointer(expression: Node): boolean {
  if (expression.nodeType !== 'Assignment') return false
  const target = nodeIn(expression, 'leftHandSide')
  return target.nodeType === 'Identifier' && /(storage pointer|calldata)$/.test(typeOf(target))
}
