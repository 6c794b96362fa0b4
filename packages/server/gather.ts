/**
 * Does together what is asked while something is under way: one transaction for many, which pays for the way to the disk
 * once. `work` answers each item with what it is to become, or with the error that it is to fail with; when it fails
 * altogether, each item is tried alone, so that none suffers from another.
 */
export function gather<Item, Result>(
  work: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>,
  most: number,
): (item: Item) => Promise<Result> {
  type Waiting = { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }
  const waiting: Waiting[] = []
  let isWorking = false

  async function run(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await work(batch.map(({ item }) => item))
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index] as Result | Error
        if (result instanceof Error) reject(result)
        else resolve(result)
      }
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error)
      else for (const each of batch) await run([each])
    }
  }
  async function drain(): Promise<void> {
    isWorking = true
    while (waiting.length > 0) await run(waiting.splice(0, most))
    isWorking = false
  }
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!isWorking) void drain()
    })
}

/** One answer for all who ask before the question is sent: nobody gets one that is older than their question. */
export function share<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve()
  let next: Promise<Result> | undefined
  return () => {
    if (next) return next
    const mine = last.then(() => {
      next = undefined
      return ask()
    })
    next = mine
    last = mine.catch(() => {})
    return mine
  }
}
