import { statementsOf } from '../prove/statements.ts'

type Sources = { proofs: string[]; properties: string[]; read: (path: string) => string }

const introduction = `# What is proved

The arithmetic of the contracts is proved by the model checker in the compiler that compiles them; what that cannot decide is
tested, exhaustively or with random numbers. This page says which is which. It is written by \`node scripts/docs.ts --write\`.

* **Proved**: \`node scripts/prove.ts\`, a part of \`npm test\`. Each statement is a function in \`proofs/\` that ends in a claim; the
  checker (BMC; the functions have no loops, so one look at all paths is complete) must say that the claim holds for *all* inputs and
  states, that nothing overflows in the statement or in a library, and that no conversion cuts anything off. What a contract's own
  function refuses by reverting, an overflow as well, is no part of a statement. "Perhaps" fails. So does a claim that no input gets
  to: with each claim replaced by "false", every one must be refuted.
* **Refuted**: wrong statements, which the checker must refute. If it proved them, it would prove anything.
* **Exhaustive**: a Solidity test that tries every case of a domain that it names.
* **Property**: a Solidity test with random inputs of every size: RUNS runs in \`npm test\`, DEEP in \`npm run test:deep\`.

Library functions are called as they are. Where a kernel is part of a contract, its text is cut out of the contract when it is proved,
never copied. Three things are supposed:

1. OpenZeppelin's \`Math\` does what \`proofs/spec/Math.sol\` says, which has no assembly; the properties of \`Math\` below test that.
2. A conversion such as \`uint96(x)\` changes nothing if \`x\` fits. That it fits is proved, at every conversion
   (\`proofs/spec/Cast.sol\`).
3. Nothing that was cut out is written in assembly, of which the checker knows nothing: it refuses such a proof.
`

/** docs/proofs.md: every statement in words, and how it is known to hold. */
export function proofsPage({ proofs, properties, read }: Sources, runs: { short: number; deep: number }): string {
  const figures = introduction.replace('RUNS', number(runs.short)).replace('DEEP', number(runs.deep))
  const tables = [...proofs.filter((path) => !isRefuted(path)), ...properties, ...proofs.filter(isRefuted)].map(
    (path) => table(path, read(path)),
  )
  return `${[figures, ...tables].join('\n')}`
}

function table(path: string, text: string): string {
  const [, name = '', subject = ''] = /\/\/\/ @title (?:(\w+): )?(.+)/.exec(text) ?? []
  const rows = statementsOf(text).map(({ words, name }) => `| ${words} | ${how(path, text, name)} |`)
  const heading = name === '' ? subject : `${name}: ${subject}`
  return `## ${heading}\n\n[${path}](../${path})\n\n| statement | how |\n|---|---|\n${rows.join('\n')}\n`
}

function how(path: string, text: string, name: string): string {
  if (isRefuted(path)) return 'refuted'
  if (!path.endsWith('.t.sol')) return 'proved'
  return new RegExp(`function ${name}\\(\\)`).test(text) ? 'exhaustive' : 'property'
}

function isRefuted(path: string): boolean {
  return path === 'proofs/Refuted.sol'
}

function number(value: number): string {
  return value.toLocaleString('en')
}
