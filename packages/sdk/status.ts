/** What a verb is doing: `isDone` turns true when the step called `title` is over. Payloads never hold secrets. */
export type Status = { title: string; isDone: boolean; payload?: Record<string, unknown> }
export type OnStatus = (status: Status) => void

/** Runs one named step and tells of its beginning and its end. A step that fails has no end. */
export async function step<result>(
  onStatus: OnStatus | undefined,
  title: string,
  work: () => Promise<result> | result,
  payload?: (result: result) => Record<string, unknown>,
): Promise<result> {
  onStatus?.({ title, isDone: false })
  const result = await work()
  onStatus?.({ title, isDone: true, ...(payload === undefined ? {} : { payload: payload(result) }) })
  return result
}
