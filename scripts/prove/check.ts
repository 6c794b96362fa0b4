import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root } from '../run.ts'
import { compile, type Message } from './compiler.ts'
import { withCuts } from './cut.ts'
import { type Statement, statementsOf, withFalseClaims } from './statements.ts'

/** What the model checker says of a statement. */
export type Verdict = 'proved' | 'refuted' | 'unknown'

/** What became of the statements of a proof, and what else must not be there if they are to count. */
export type Report = { verdicts: Record<string, Verdict>; problems: string[] }

const math = '@openzeppelin/contracts/utils/math/Math.sol'

/** What the compiler may say without any harm to a proof. */
const harmless = [
  /^The BMC engine of the SMTChecker is deprecated/,
  // The arguments of a custom error, which a proof never sees: what reverts is not looked at any further.
  /^Assertion checker does not yet implement type error/,
  /^Function state mutability can be restricted/,
]

/**
 * Hands a proof to the model checker that is in the compiler. Functions of a proof have no loops, so that to look at all of
 * a function's paths once (BMC) is to look at everything.
 *
 * @param options.claims - As they are written, or all false, to see that each can be got to.
 */
export function check(path: string, { claims = 'written' }: { claims?: 'written' | 'false' } = {}): Report {
  const cut = withCuts(readFileSync(join(root, path), 'utf8'))
  const content = claims === 'false' ? withFalseClaims(cut) : cut
  const { errors: messages = [] } = compile(
    {
      sources: { [path]: { content } },
      settings: {
        evmVersion: 'cancun',
        modelChecker: {
          engine: 'bmc',
          contracts: { [path]: [basename(path, '.sol')] },
          // Whether something overflows on the way to a claim was asked already.
          targets: claims === 'false' ? ['assert'] : ['assert', 'overflow', 'underflow', 'divByZero'],
          solvers: ['z3'],
          showProvedSafe: true,
          showUnproved: true,
          showUnsupported: true,
        },
      },
    },
    (imported) => ({ contents: readFileSync(join(root, locationOf(imported)), 'utf8') }),
  )
  const statements = statementsOf(content)
  const verdicts = Object.fromEntries(
    statements.map((statement) => [statement.name, verdictOn(statement, path, messages)]),
  )
  return { verdicts, problems: messages.flatMap((message) => problemOf(message, { path, content, statements })) }
}

function locationOf(imported: string): string {
  if (imported === math) return 'proofs/spec/Math.sol'
  return imported.startsWith('@') ? `node_modules/${imported}` : imported
}

function isIn({ sourceLocation }: Message, { start, end }: Statement, path: string): boolean {
  return sourceLocation?.file === path && sourceLocation.start >= start && sourceLocation.end <= end
}

function isOutside(message: Message, statements: Statement[]): boolean {
  return !statements.some((statement) => isIn(message, statement, message.sourceLocation?.file ?? ''))
}

/** Only what the checker says outright counts: a claim that it does not mention, or is not sure of, is unknown. */
function verdictOn(statement: Statement, path: string, messages: Message[]): Verdict {
  const claims = messages.filter(
    (message) => isIn(message, statement, path) && /Assertion violation/.test(message.message),
  )
  if (claims.some(({ message }) => message.startsWith('BMC: Assertion violation happens here'))) return 'refuted'
  const proved =
    claims.length > 0 && claims.every(({ message }) => message.startsWith('BMC: Assertion violation check is safe'))
  return proved ? 'proved' : 'unknown'
}

/** An overflow or a conversion that cuts something off on the way, or a warning that nobody has thought about. */
function problemOf(message: Message, { path, content, statements }: Context): string[] {
  if (message.severity === 'info' || harmless.some((known) => known.test(message.message))) return []
  const isClaim = /^BMC: Assertion violation/.test(message.message)
  if (isClaim && statements.some((statement) => isIn(message, statement, path))) return []
  const { sourceLocation: at } = message
  // What assembly writes is nothing that the checker knows of: it belongs where that is meant, and in no contract's code.
  if (/^Inline assembly may/.test(message.message) && at?.file === 'proofs/spec/Cast.sol') return []
  // A contract's function by itself, given anything, may overflow: it reverts. In what statements do with it, it must not.
  if (/^BMC: (Over|Under)flow/.test(message.message) && at?.file === path && isOutside(message, statements)) return []
  const text =
    at === undefined ? '' : at.file === path ? content : readFileSync(join(root, locationOf(at.file)), 'utf8')
  const place =
    at === undefined ? '' : ` ${at.file}: ${text.slice(at.start, at.end).replace(/\s+/g, ' ').slice(0, 100)}`
  return [`${message.message.split('\n')[0]}${place}`]
}

type Context = { path: string; content: string; statements: Statement[] }
