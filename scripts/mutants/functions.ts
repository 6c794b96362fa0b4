import { copy, type Pen, textOf, within } from './pen.ts'
import { addMutants } from './sites.ts'
import { find, isNode, type Node, nodeIn } from './syntax.ts'

/** The new text of a function, followed by those that its modifiers became. */
export function rewriteFunction(pen: Pen, node: Node): string {
  if (!isNode(node.body)) return textOf(pen, node)
  const inside = { ...pen, function: String(node.name || node.kind) }
  const guards = guardsOf(inside, node)
  const instead = new Map(guards.map(({ modifier }) => [modifier, '']))
  const calls = guards.map(({ call }) => call).join('')
  const body = copy(within(inside, node), node.body)
  instead.set(node.body, `{ ${calls}${body.slice(1)}`)
  return [copy(inside, node, instead), ...guards.map(({ text }) => text)].join(' ')
}

/**
 * A modifier that only checks something before is as good as a call at the beginning, and a call can be left out: so each
 * becomes the modifier of an empty function.
 */
function guardsOf(pen: Pen, node: Node) {
  const modifiers = Array.isArray(node.modifiers) ? node.modifiers.filter(isNode) : []
  return modifiers
    .filter((modifier) => isCheck(pen, node, modifier))
    .map((modifier) => {
      const n = addMutants(pen.sites, pen, modifier, { changes: ['modifier deleted'] })
      const view = node.stateMutability === 'view' || node.stateMutability === 'pure' ? ` ${node.stateMutability}` : ''
      return {
        modifier,
        call: `if (!Mutation.active(${n})) guard_${n}(); `,
        text: `function guard_${n}() private${view} ${textOf(pen, modifier)} {}`,
      }
    })
}

function isCheck(pen: Pen, node: Node, modifier: Node): boolean {
  if (node.kind !== 'function' || (Array.isArray(modifier.arguments) && modifier.arguments.length > 0)) return false
  const id = nodeIn(modifier, 'modifierName').referencedDeclaration
  const [definition] = [...pen.trees.values()].flatMap((tree) => find(tree, (inner) => inner.id === id))
  if (definition?.nodeType !== 'ModifierDefinition') return false
  const statements = nodeIn(definition, 'body').statements
  const kinds = Array.isArray(statements) ? statements.filter(isNode).map(({ nodeType }) => nodeType) : []
  return kinds.indexOf('PlaceholderStatement') === kinds.length - 1
}
