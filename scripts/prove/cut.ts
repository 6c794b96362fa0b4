import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run.ts'
import { compile } from './compiler.ts'

type Node = { nodeType: string; name?: string; src: string; nodes?: Node[]; body?: Node }

/**
 * A line of a proof that asks for declarations of a contract, or for what is done in a function of it:
 * `// cut contracts/hub/Deals.sol: _left`, `// cut contracts/hub/Deals.sol: _consume{}`.
 */
const order = /^ *\/\/ cut (\S+\.sol): (.+)$/gm

/** A proof in which the declarations that it asks for stand as they stand in the contract, but for conversions. */
export function withCuts(text: string): string {
  return text.replace(order, (_, path: string, names: string) => {
    const declarations = declarationsOf(path)
    return names
      .split(' ')
      .map((name) => {
        const found = declarations.get(name)
        if (found === undefined) throw new Error(`${path} declares no ${name}`)
        return found.replace(/\buint(\d+)\((?!\))/g, 'Cast.to$1(')
      })
      .join('\n')
  })
}

const read = new Map<string, Map<string, string>>()

function declarationsOf(path: string): Map<string, string> {
  const known = read.get(path)
  if (known !== undefined) return known
  const source = readFileSync(join(root, path))
  const declarations = new Map<string, string>()
  for (const contract of parse(path, source.toString()).filter(({ nodeType }) => nodeType === 'ContractDefinition')) {
    for (const { nodeType, name, src, body } of contract.nodes ?? []) {
      if (!name) continue
      declarations.set(name, nodeType === 'VariableDeclaration' ? `${textAt(source, src)};` : textAt(source, src))
      // Deeper, for the brace of its own at a function's depth ends a statement.
      if (body) declarations.set(`${name}{}`, textAt(source, body.src).replaceAll('\n', '\n    '))
    }
  }
  read.set(path, declarations)
  return declarations
}

function textAt(source: Buffer, src: string): string {
  const [start = 0, length = 0] = src.split(':').map(Number)
  return source.subarray(start, start + length).toString()
}

function parse(path: string, content: string): Node[] {
  const { sources } = compile({
    sources: { [path]: { content } },
    settings: { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } },
  })
  const ast = sources?.[path]?.ast as Node | undefined
  return ast?.nodes ?? []
}
