import type { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'

export type Log = Logger

/** Names of fields that are never written to a log, at any of the first levels of an object. */
const secretFields = [
  'authorization',
  'body',
  'connectionString',
  'cookie',
  'key',
  'mnemonic',
  'password',
  'plaintext',
  'privateKey',
  'secret',
  'seed',
  'token',
]

/**
 * Makes the JSON log of one process. Bodies, headers and secret fields never reach it: requests are reduced to
 * method, path and id, errors to name, message and stack, and the fields above are cut out wherever they appear.
 */
export function createLog({ name, level, to }: { name: string; level?: string; to?: Writable }): Log {
  const paths = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`, `*.headers.${field}`])
  return pino(
    {
      name,
      level: level ?? 'info',
      redact: { paths, censor: '[not logged]' },
      serializers: { err: describeError, error: describeError, req: describeRequest, res: describeResponse },
    },
    to ?? process.stdout,
  )
}

function describeError(error: unknown) {
  if (!(error instanceof Error)) return { message: String(error) }
  return { name: error.name, message: withoutCredentials(error.message), stack: withoutCredentials(error.stack ?? '') }
}

function describeRequest(request: { id?: unknown; method?: string; url?: string }) {
  return { id: request.id, method: request.method, path: request.url?.split('?')[0] }
}

function describeResponse(response: { statusCode?: number }) {
  return { status: response.statusCode }
}

/**
 * Libraries quote URLs in their messages. The password in `scheme://user:password@host` is cut out, and what follows the
 * host of a web address: there lies the access key of a chain's provider.
 */
export function withoutCredentials(text: string): string {
  return text
    .replace(/(\w+:\/\/[^/\s:@]*):[^/\s@]+@/g, '$1:***@')
    .replace(/\b((?:https?|wss?):\/\/[^/?#\s"'`]+)[/?#][^\s"'`,)]+/g, '$1/***')
}
