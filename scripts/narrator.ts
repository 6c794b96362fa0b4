/** Tells a story on the terminal: chapters, steps with their time, facts, and refusals with their reason. */
export type Narrator = {
  chapter: (title: string) => void
  /** Runs a step and prints what it did and how long it took. A step that fails ends the story. */
  step: <Result>(title: string, work: () => Promise<Result>, facts?: (result: Result) => string[]) => Promise<Result>
  fact: (text: string) => void
  /**
   * Runs an attack that must be refused with an error of one of these names, and prints the reason. An attack that succeeds,
   * or fails for another reason, proves nothing and ends the story.
   */
  refused: (title: string, names: string[], attack: () => Promise<unknown>) => Promise<Error>
}

/** An attack of the demo was not refused: something is broken. */
export class AttackSucceededError extends Error {
  override name = 'AttackSucceededError'
  constructor(title: string) {
    super(`This should have been refused and was not: ${title}`)
  }
}

export function createNarrator({ print }: { print: (line: string) => void }): Narrator {
  const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(2)} s`
  const fact = (text: string) => print(`      ${text}`)
  return {
    chapter: (title) => print(`\n${title}\n${'-'.repeat(title.length)}`),
    fact,
    async step(title, work, facts) {
      const since = performance.now()
      const result = await work()
      print(`  ${title} (${seconds(since)})`)
      for (const text of facts?.(result) ?? []) fact(text)
      return result
    },
    async refused(title, names, attack) {
      const error = await attack().then(
        () => undefined,
        (reason: unknown) => (reason instanceof Error ? reason : new Error(String(reason))),
      )
      if (!error) throw new AttackSucceededError(title)
      if (!names.includes(error.name)) throw error
      print(`  ${title}`)
      const [what, ...next] = error.message.split('\n')
      fact(`refused: ${error.name}: ${what}`)
      for (const line of next.slice(0, 4)) fact(`         ${line}`)
      return error
    },
  }
}
