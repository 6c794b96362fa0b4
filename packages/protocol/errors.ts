export type BaseErrorOptions = {
  /** The error this one explains. */
  cause?: unknown
  /** Page and anchor below `docs/` where the reader learns more, e.g. `/secrets#datasets`. */
  docsPath?: string
  /** What to do next, one sentence per line. */
  metaMessages?: string[]
}

/** Root of every error: what happened, with which value, what to do next, where to read more. */
export class BaseError extends Error {
  override name = 'BaseError'
  /** What happened, in one sentence, without remedy and links. */
  readonly shortMessage: string
  readonly metaMessages: string[]
  readonly docsPath: string | undefined

  constructor(shortMessage: string, { cause, docsPath, metaMessages = [] }: BaseErrorOptions = {}) {
    const docs = docsPath === undefined ? [] : [`Docs: ${docsFile(docsPath)}`]
    super([shortMessage, ...metaMessages, ...docs].join('\n'), cause === undefined ? {} : { cause })
    this.shortMessage = shortMessage
    this.metaMessages = metaMessages
    this.docsPath = docsPath
  }
}

/** The file of the repository, with its heading, that a `docsPath` stands for: `/run#orders` is `docs/run.md#orders`. */
function docsFile(docsPath: string): string {
  return `docs${docsPath.replace(/#|$/, '.md$&')}`
}

/** Something that may succeed when tried again unchanged: agents retry these and nothing else. */
export class RetryableError extends BaseError {
  override name = 'RetryableError'
}

/** A value from outside that does not have the form it must have. */
export class InvalidValueError extends BaseError {
  override name = 'InvalidValueError'
  /** Where the value stood, e.g. `order.appprice`. */
  readonly path: string

  constructor({ path, expected, value }: { path: string; expected: string; value: unknown }) {
    super(`"${path}" must be ${expected}, not ${describe(value)}.`, { docsPath: '/formats' })
    this.path = path
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `"${value.length > 80 ? `${value.slice(0, 80)}…` : value}"`
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}
