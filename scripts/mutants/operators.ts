// What becomes of an operator: one mutant for each word on the right.

/** A comparison loses its boundary, and is turned round. */
const comparisons: Record<string, string[]> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '==': ['!='],
  '!=': ['=='],
}

const arithmetic: Record<string, string[]> = {
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '^': ['&'],
}

export const isComparison = (operator: string): boolean => operator in comparisons
export const isLogical = (operator: string): boolean => operator === '&&' || operator === '||'

/** What `left operator right` may become; nothing for an operator that is left alone. */
export function binary(operator: string): string[] {
  return comparisons[operator] ?? arithmetic[operator] ?? []
}

export function logical(operator: string): string {
  return operator === '&&' ? '||' : '&&'
}

/** `+=` and its like, `++` and `--`. */
export function compound(operator: string): string | undefined {
  if (operator === '++') return '--'
  if (operator === '--') return '++'
  const [other] = operator.endsWith('=') ? (arithmetic[operator.slice(0, -1)] ?? []) : []
  return other === undefined ? undefined : `${other}=`
}

/** A function of the EVM in assembly, and what it becomes in terms of its arguments `a` and `b`. */
export const assembly: Record<string, { parameters: string; mutants: string[] }> = {
  add: { parameters: 'a, b', mutants: ['sub(a, b)'] },
  sub: { parameters: 'a, b', mutants: ['add(a, b)'] },
  mul: { parameters: 'a, b', mutants: ['div(a, b)'] },
  div: { parameters: 'a, b', mutants: ['mul(a, b)'] },
  mod: { parameters: 'a, b', mutants: ['mul(a, b)'] },
  shl: { parameters: 'a, b', mutants: ['shr(a, b)'] },
  shr: { parameters: 'a, b', mutants: ['shl(a, b)'] },
  and: { parameters: 'a, b', mutants: ['or(a, b)'] },
  or: { parameters: 'a, b', mutants: ['and(a, b)'] },
  xor: { parameters: 'a, b', mutants: ['and(a, b)'] },
  not: { parameters: 'a', mutants: ['a'] },
  lt: { parameters: 'a, b', mutants: ['iszero(gt(a, b))', 'iszero(lt(a, b))'] },
  gt: { parameters: 'a, b', mutants: ['iszero(lt(a, b))', 'iszero(gt(a, b))'] },
  slt: { parameters: 'a, b', mutants: ['iszero(sgt(a, b))', 'iszero(slt(a, b))'] },
  sgt: { parameters: 'a, b', mutants: ['iszero(slt(a, b))', 'iszero(sgt(a, b))'] },
  eq: { parameters: 'a, b', mutants: ['iszero(eq(a, b))'] },
  iszero: { parameters: 'a', mutants: ['iszero(iszero(a))'] },
}
