import { binary, compound, isComparison, isLogical, logical } from './operators.ts'
import { copy, type Pen, rewriteIn } from './pen.ts'
import { addMutants } from './sites.ts'
import { binaryOperation, complement } from './switch.ts'
import { isNode, type Node, nodeIn, typeOf } from './syntax.ts'

/** The new text of an expression, and of whatever has no rule of its own. */
export function rewriteExpression(pen: Pen, node: Node): string {
  if (node.nodeType === 'BinaryOperation') return rewriteBinary(pen, node)
  if (node.nodeType === 'UnaryOperation') return rewriteUnary(pen, node)
  if (node.nodeType === 'Assignment') return rewriteCompound(pen, node, nodeIn(node, 'leftHandSide'))
  if (pen.constants.has(Number(node.referencedDeclaration))) return `${copy(pen, node)}()`
  if (node.nodeType === 'Conditional') return copy(pen, node, turnedCondition(pen, node))
  return copy(pen, node)
}

/** What to write for the condition of a branch: one that has no operator to flip is turned as a whole. */
export function turnedCondition(pen: Pen, node: Node): Map<Node, string> {
  const condition = node.condition
  if (!isNode(condition) || hasOperator(condition)) return new Map()
  const n = addMutants(pen.sites, pen, condition, { changes: ['condition turned'] })
  return new Map([[condition, `Mutation.turned(${n}, ${rewriteIn(pen, node, condition)})`]])
}

function hasOperator(node: Node): boolean {
  const [only] = node.nodeType === 'TupleExpression' && Array.isArray(node.components) ? node.components : []
  if (isNode(only)) return hasOperator(only)
  return node.nodeType === 'BinaryOperation' || (node.nodeType === 'UnaryOperation' && node.operator === '!')
}

function rewriteBinary(pen: Pen, node: Node): string {
  const operator = String(node.operator)
  const [left, right] = [nodeIn(node, 'leftExpression'), nodeIn(node, 'rightExpression')]
  if (isLogical(operator)) {
    const n = addMutants(pen.sites, pen, node, { changes: [`${operator} becomes ${logical(operator)}`] })
    // `a && b` is `a ? b : false`, `a || b` is `a ? true : b`; this way neither side is written twice.
    const not = operator === '&&' ? '' : '!'
    return `(Mutation.turned(${n}, ${not}(${rewriteIn(pen, node, left)})) ? (${rewriteIn(pen, node, right)}) : ${not}Mutation.active(${n}))`
  }
  const type = operandType(pen, node)
  const mutants = binary(operator)
  if (type === undefined || mutants.length === 0) return copy(pen, node)
  const changes = mutants.map((mutant) => `${operator} becomes ${mutant}`)
  const n = addMutants(pen.sites, pen, node, { changes, compares: isComparison(operator) })
  const name = binaryOperation(pen.operations, { operator, mutants, type: type.name, unchecked: isUnchecked(pen) })
  const as = (side: Node) => `${type.conversion}(${rewriteIn(pen, node, side)})`
  return `Mutation.${name}(${n}, ${as(left)}, ${as(right)})`
}

/** In which type a function of ours can do an operation, and how its operands get there; nothing if in none. */
function operandType(pen: Pen, node: Node): { name: string; conversion: string } | undefined {
  const common = (node.commonType as { typeString: string }).typeString
  const comparison = isComparison(String(node.operator))
  if (common.startsWith('int_const')) {
    return pen.constantType === undefined ? undefined : { name: pen.constantType, conversion: '' }
  }
  if (/^uint\d+$/.test(common)) return { name: comparison ? 'uint256' : common, conversion: '' }
  if (/^(int\d+|bytes\d+|bool|address)$/.test(common)) return { name: common, conversion: '' }
  if (common === 'address payable' || common.startsWith('contract ')) return { name: 'address', conversion: 'address' }
  if (common.startsWith('enum ')) return { name: 'uint256', conversion: 'uint256' }
  return undefined
}

function isUnchecked(pen: Pen): boolean {
  return pen.around.some(({ nodeType }) => nodeType === 'UncheckedBlock')
}

function rewriteUnary(pen: Pen, node: Node): string {
  const operator = String(node.operator)
  const operand = nodeIn(node, 'subExpression')
  if (operator === '++' || operator === '--') return rewriteCompound(pen, node, operand)
  if (operator !== '!' && operator !== '~') return copy(pen, node)
  const n = addMutants(pen.sites, pen, node, { changes: [`${operator} deleted`] })
  if (operator === '!') return `Mutation.turned(${n}, !(${rewriteIn(pen, node, operand)}))`
  const type = typeOf(operand).startsWith('int_const') ? 'uint256' : typeOf(operand)
  return `Mutation.${complement(pen.operations, type)}(${n}, ${rewriteIn(pen, node, operand)})`
}

/** `a += b`, `++a` and their like: both forms are written out, since the place that is written to cannot be passed on. */
function rewriteCompound(pen: Pen, node: Node, target: Node): string {
  const operator = String(node.operator)
  const mutant = compound(operator)
  if (mutant === undefined) return copy(pen, node)
  const n = addMutants(pen.sites, pen, node, { changes: [`${operator} becomes ${mutant}`] })
  const place = rewriteIn(pen, node, target)
  const value = isNode(node.rightHandSide) ? rewriteIn(pen, node, node.rightHandSide) : ''
  const form = (word: string) => (node.prefix === true ? `${word}${place}` : `${place} ${word} ${value}`)
  return `(Mutation.active(${n}) ? ${form(mutant)} : ${form(operator)})`
}
