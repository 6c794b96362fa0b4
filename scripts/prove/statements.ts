/** One function of a proof: what it states, in words, and where it stands. */
export type Statement = { name: string; words: string; start: number; end: number }

/** A sentence in front of a function, the function, and the claim at its end. */
const statement = /((?: {4}\/\/\/ .*\n)+) {4}function (\w+)\([\s\S]*?\n {4}}\n/g

/** The statements of a proof, or of the properties in a test file. */
export function statementsOf(text: string): Statement[] {
  return [...text.matchAll(statement)].flatMap((found) => {
    const [whole, comment = '', name = ''] = found
    const words = comment
      .replace(/ *\/\/\/ /g, '')
      .replaceAll('\n', ' ')
      .trim()
    if (!words.startsWith('@notice ')) return []
    return [{ name, words: words.slice('@notice '.length), start: found.index, end: found.index + whole.length }]
  })
}

/** The same functions, each of which claims what is never true: whoever gets that far refutes it. */
export function withFalseClaims(text: string): string {
  return text.replace(statement, (whole) =>
    whole.replace(/assert\((?:(?!assert\()[\s\S])*\);\n {4}}\n$/, 'assert(false);\n    }\n'),
  )
}
