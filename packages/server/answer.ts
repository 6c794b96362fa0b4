import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** `error.name` -> HTTP status. */
export type ErrorTable = Record<string, number>

/** Errors of this package; servers add their own. */
const ownErrors: ErrorTable = { NotAuthorizedError: 401 }

const hidden = 'Something went wrong, you should retry later.'

/**
 * The one place where errors become answers: `{ ok: false, error, name?, remedies?, requestId }`, beside the `particulars`
 * of an error that has some. Published clients read `error` alone. Whatever is neither in the table nor a client's fault is logged, and answered without its details.
 */
export function answerError(errors: ErrorTable) {
  const table = { ...ownErrors, ...errors }
  return function answer(error: unknown, request: FastifyRequest, reply: FastifyReply) {
    const requestId = request.id
    if (!(error instanceof Error)) return fail(error, request, reply)
    const status = table[error.name]
    if (status !== undefined) {
      if (status >= 500) request.log.error({ error, request: requestId }, 'failed')
      const { text, remedies, particulars } = describe(error)
      const { name } = error
      return reply
        .code(status)
        .send({ ok: false, error: text, name, ...(remedies.length > 0 ? { remedies } : {}), ...particulars, requestId })
    }
    const { validation, statusCode } = error as Partial<FastifyError>
    if (validation) return reply.code(400).send({ ok: false, error: describeValidation(error), requestId })
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
      return reply.code(statusCode).send({ ok: false, error: error.message, requestId })
    }
    if ('code' in error && error.code === unstorable) {
      return reply.code(400).send({ ok: false, error: 'A text holds the character NUL, which no text may.', requestId })
    }
    return fail(error, request, reply)
  }
}

/** PostgreSQL's code for bytes that are no text: of what reaches it from a request, that is NUL alone. */
const unstorable = '22021'

function fail(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  request.log.error({ error, request: request.id }, 'failed')
  return reply.code(500).send({ ok: false, error: hidden, requestId: request.id })
}

function describe(error: Error): { text: string; remedies: string[]; particulars: object } {
  const { shortMessage, metaMessages, particulars } = error as {
    shortMessage?: unknown
    metaMessages?: unknown
    particulars?: unknown
  }
  const text = typeof shortMessage === 'string' ? shortMessage : error.message
  const remedies = Array.isArray(metaMessages) ? metaMessages.map(String) : []
  return { text, remedies, particulars: typeof particulars === 'object' && particulars !== null ? particulars : {} }
}

/** A refinement on the whole object says its own sentence; a field's problem is preceded by the field's name. */
function describeValidation(error: Error): string {
  const issues = (error as Partial<FastifyError>).validation ?? []
  const texts = issues.map(({ instancePath, message = 'is wrong' }) => {
    const field = instancePath.replace(/^\//, '').replaceAll('/', '.')
    return field ? `${field}: ${message}` : message
  })
  return texts.length > 0 ? texts.join('; ') : error.message
}
