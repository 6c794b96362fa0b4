import * as Match from './Match.ts'
import type * as Order from './Order.ts'

/** A rule of matching and what these orders make of it: which order it is about, and, where broken, the two values. */
export type Answer = { code: string; rule: string; order: Order.Kind } & (
  | { holds: true }
  | { holds: false; wanted: string; found: string; sentence: string; remedy: string }
)

/** One answer per rule, in the order in which the Hub checks them. A rule that was not judged counts as kept. */
export function of(orders: Match.Orders, mismatches: readonly Match.Mismatch[]): Answer[] {
  const open = [...mismatches]
  return rulesOf(orders).map(({ code, rule, order }) => {
    const index = open.findIndex((mismatch) => mismatch.code === code && orderOf(mismatch) === order)
    const [mismatch] = index < 0 ? [] : open.splice(index, 1)
    if (!mismatch) return { code, rule, order, holds: true }
    const { sentence, remedy } = mismatch
    return { code, rule, order, holds: false, ...twoValues(mismatch), sentence, remedy }
  })
}

type Rule = { code: string; rule: string; order: Order.Kind }

function rulesOf(orders: Match.Orders): Rule[] {
  const rule = (code: string, name: string, order: Order.Kind): Rule => ({ code, rule: name, order })
  const kinds = Match.present(orders).map(([kind]) => kind)
  const all = [
    rule('00', 'CategoryMismatch', 'workerpool'),
    rule('01', 'UnknownCategory', 'request'),
    rule('02', 'TrustTooHigh', 'workerpool'),
    rule('03', 'Overpriced', 'app'),
    rule('04', 'Overpriced', 'dataset'),
    rule('05', 'Overpriced', 'workerpool'),
    rule('06', 'TagNotCovered', 'workerpool'),
    rule('07', 'EnclaveMismatch', 'app'),
    rule('10', 'AppMismatch', 'app'),
    // About the order that is missing as well.
    rule('11', 'DatasetMismatch', 'dataset'),
    ...Match.restrictions(orders).map(({ code, by }) => rule(code, 'Restricted', by)),
    ...kinds.flatMap((kind) => [
      ...(kind === 'request' ? [] : [rule(Match.factCodes[kind][0], 'NotRegistered', kind)]),
      rule(Match.factCodes[kind][1], 'NotAuthentic', kind),
    ]),
    ...kinds.map((kind) => rule('60', 'NothingLeft', kind)),
    rule('70', 'ERC20InsufficientBalance', 'request'),
    rule('71', 'ERC20InsufficientBalance', 'workerpool'),
  ]
  return all.filter(({ order, code }) => order !== 'dataset' || code === '11' || kinds.includes('dataset'))
}

/** Which order does not fit. */
function orderOf({ code, values }: Match.Mismatch): Order.Kind {
  const named = (values.by ?? values.kind) as Order.Kind | undefined
  if (named) return named
  if (code === '01' || code === '70') return 'request'
  if (code === '07' || code === '10') return 'app'
  return code === '11' ? 'dataset' : 'workerpool'
}

/** What the rule wants and what it finds instead. */
function twoValues({ name, values }: Match.Mismatch): { wanted: string; found: string } {
  const pairs: Record<string, [unknown, unknown]> = {
    UnknownCategory: ['a category that exists', values.category],
    Overpriced: [values.maxPrice, values.price],
    TagNotCovered: [values.tag, values.workerpoolTag],
    EnclaveMismatch: [values.tag, values.appTag],
    Restricted: [values.restriction, values.candidate],
    NotRegistered: [`a registered ${values.kind}`, values.entry],
    NotAuthentic: [`a signature for ${values.entry}`, 'another signature'],
    NothingLeft: [1n, 0n],
    ERC20InsufficientBalance: [values.needed, values.balance],
  }
  const [wanted, found] = pairs[name] ?? [values.requested, values.accepted ?? values.offered]
  return { wanted: String(wanted), found: String(found) }
}
