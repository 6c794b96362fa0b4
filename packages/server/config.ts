import { randomBytes } from 'node:crypto'
import { open, readFile, stat, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Address, Hex } from '@sealdeal/protocol'
import { BaseError } from '@sealdeal/protocol'
import { getAddress } from 'ethers'
import { z } from 'zod'
import { isClosed } from './keyFile.ts'
import type { HttpOptions } from './serve.ts'

/** The environment is wrong: every bad variable is listed, not only the first. */
export class ConfigError extends BaseError {
  override name = 'ConfigError'
  constructor({ problems }: { problems: string[] }) {
    super(`${problems.length} ${problems.length === 1 ? 'variable is' : 'variables are'} missing or wrong.`, {
      metaMessages: problems,
      docsPath: '/operate#configuration',
    })
  }
}

/** A key file cannot be used. The message never holds what is in it. */
export class KeyFileError extends BaseError {
  override name = 'KeyFileError'
  constructor({ path, reason, remedy }: { path: string; reason: string; remedy: string }) {
    super(`The key file "${path}" ${reason}.`, { metaMessages: [remedy], docsPath: '/operate#keys' })
  }
}

const url = (pattern: RegExp, what: string) =>
  z.string().refine((text) => pattern.test(text) && URL.canParse(text), { error: `must be ${what}` })

const flag = z
  .enum(['0', '1', 'true', 'false'], { error: 'must be 0 or 1' })
  .transform((text) => /^(1|true)$/.test(text))

const number = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/, { error: 'must be a whole number' })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, { error: `must be from ${minimum} to ${maximum}` })

/** Zod schemas of single variables, to compose a process's own schema from. */
export const variable = {
  httpUrl: url(/^https?:\/\//, 'an http or https URL'),
  chainUrl: url(/^(https?|wss?):\/\//, 'an http, https, ws or wss URL'),
  databaseUrl: url(/^postgres(ql)?:\/\//, 'a postgres:// URL'),
  address: z.string().transform((text, context): Address => {
    try {
      return getAddress(text) as Address
    } catch {
      context.addIssue({ code: 'custom', message: 'must be an address: 0x and 40 hex digits' })
      return z.NEVER
    }
  }),
  path: z.string().min(1),
  flag,
  number,
  port: number(0, 65_535),
}

/** What every process reads. `DATABASE_URL` may be absent: an embedded server is started then. */
export const commonVariables = {
  /** Address to listen on; `0.0.0.0` in a container. */
  HOST: z.string().default('127.0.0.1'),
  /** Port to listen on; 0 takes any free one. */
  PORT: variable.port.default(0),
  /** Least severe lines that are logged. */
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Ends when standard input ends: for whoever starts processes through a pipe. */
  EXIT_ON_STDIN_EOF: flag.default(false),
}

/** What every server reads: who may call it from a browser, how often one address may call it, how much it may send. */
export const httpVariables = {
  /** `*`, or the origins whose pages may call, separated by commas. */
  CORS_ORIGINS: z
    .string()
    .transform((text, context): '*' | string[] => {
      if (text === '*') return '*'
      const origins = listOf(text)
      if (origins.length > 0 && origins.every((each) => URL.canParse(each) && new URL(each).origin === each))
        return origins
      context.addIssue({
        code: 'custom',
        message: 'must be *, or origins like https://app.example separated by commas',
      })
      return z.NEVER
    })
    .default('*'),
  /** Requests of one network address per minute; unlimited when unset. */
  REQUESTS_PER_MINUTE: number(1, 1_000_000).optional(),
  /** Addresses and networks of the proxies in front: what they say about a client's address is believed. */
  TRUSTED_PROXIES: z
    .string()
    .transform(listOf)
    .refine((proxies) => proxies.every(isNetwork), { error: 'must be addresses or networks separated by commas' })
    .default([]),
  /** Longest body of a request, in bytes. */
  BODY_LIMIT: number(1_024, 1_073_741_824).default(1_048_576),
}

function listOf(text: string): string[] {
  return text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
}

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

/** These variables as `serve` takes them. */
export function httpOptions(config: z.output<z.ZodObject<typeof httpVariables>>): HttpOptions {
  return {
    origins: config.CORS_ORIGINS,
    trustedProxies: config.TRUSTED_PROXIES,
    bodyLimit: config.BODY_LIMIT,
    ...(config.REQUESTS_PER_MINUTE === undefined ? {} : { requestsPerMinute: config.REQUESTS_PER_MINUTE }),
  }
}

/** What every process that watches the chain and keeps rows reads. */
export const chainVariables = {
  /** JSON-RPC of the chain. */
  CHAIN_URL: variable.chainUrl,
  /** The Hub. */
  HUB_ADDRESS: variable.address,
}

export const databaseVariables = {
  /** PostgreSQL; unset, an embedded one is started. Leave the password to `PGPASSFILE`. */
  DATABASE_URL: variable.databaseUrl.optional(),
}

/**
 * Turns an environment into a typed configuration. Empty variables count as unset.
 *
 * @throws {ConfigError} with one line per bad variable.
 */
export function readConfig<Schema extends z.ZodType>({
  schema,
  env,
}: {
  schema: Schema
  env: Record<string, string | undefined>
}): z.output<Schema> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = schema.safeParse(set)
  if (parsed.success) return parsed.data
  throw new ConfigError({ problems: parsed.error.issues.map((issue) => describeIssue(issue, set)) })
}

function describeIssue(issue: z.core.$ZodIssue, env: Record<string, string | undefined>): string {
  const name = issue.path.join('.')
  const value = env[name]
  if (value === undefined) return `${name || 'environment'}: ${name ? 'is not set' : issue.message}`
  // A URL may carry a password, and a misplaced key looks like any other value: show only what is surely harmless.
  const harmless = /^(HOST|PORT|LOG_LEVEL|SANDBOX)$|_(ADDRESS|FILE|DIRECTORY|SECONDS|MS)$|^EXIT_/.test(name)
  return `${name}: ${issue.message}${harmless ? `, is "${value}"` : ''}`
}

/**
 * Reads a 32-byte key (hex, with or without 0x) from a file that only its owner can read, or that `isClosed` otherwise.
 *
 * @throws {KeyFileError} when the file is missing, readable by group or world, or holds something else.
 */
export async function readKeyFile(path: string): Promise<Hex> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'does not exist' : `cannot be opened (${error.code})`
    throw new KeyFileError({ path, reason, remedy: 'Write 32 bytes in hex into it, with mode 0600.' })
  })
  try {
    const found = await file.stat()
    const { mode } = found
    const reader = { uid: process.getuid?.() ?? 0, groups: [process.getgid?.() ?? 0, ...(process.getgroups?.() ?? [])] }
    if (process.platform !== 'win32' && !isClosed(found, reader)) {
      const reason = `is readable by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`
      throw new KeyFileError({ path, reason, remedy: `Run: chmod 600 ${path}` })
    }
    const text = (await file.readFile('utf8')).trim()
    if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
      throw new KeyFileError({ path, reason: 'does not hold a key', remedy: 'Write 32 bytes in hex: 64 digits.' })
    }
    return `0x${text.replace(/^0x/, '').toLowerCase()}`
  } finally {
    await file.close()
  }
}

/** Writes a key with mode 0600 and never overwrites one. Without `key`, makes a random one. Returns the key. */
export async function writeKeyFile({ path, key }: { path: string; key?: Hex }): Promise<Hex> {
  const value: Hex = key ?? `0x${randomBytes(32).toString('hex')}`
  await writeFile(path, `${value}\n`, { mode: 0o600, flag: 'wx' })
  return value
}

/** Reads a text file named in the configuration, with an error that names it. */
export async function readConfigFile(path: string): Promise<string> {
  await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError({ problems: [`${path}: cannot be read (${error.code})`] })
  })
  return readFile(path, 'utf8')
}
