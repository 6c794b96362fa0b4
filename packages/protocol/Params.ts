import { InvalidValueError } from './errors.ts'

/** What a requester asks of one run: the `params` of a request order, read. */
export type Params = {
  /** Command line of the app. */
  args?: string
  /** URLs that the enclave downloads before the run. */
  inputFiles?: string[]
  /** Which of the requester's stored secrets the app gets: number in the app's environment -> name in the store. */
  secrets?: Record<string, string>
  /** Whether the result is encrypted to the beneficiary's key. */
  encryptResult?: boolean
  storageProvider?: 'ipfs' | 'dropbox'
  /** Descriptor of many dataset orders, processed in slices. */
  bulkCid?: string
}

/** The string to sign, with the names of the wire. Members in a fixed order: equal parameters, equal string. */
export function build(params: Params): string {
  const wire = {
    iexec_args: params.args,
    iexec_input_files: params.inputFiles,
    iexec_secrets: params.secrets,
    iexec_result_encryption: params.encryptResult,
    iexec_result_storage_provider: params.storageProvider,
    bulk_cid: params.bulkCid,
  }
  parse(JSON.stringify(wire))
  return JSON.stringify(wire)
}

/**
 * Reads the `params` of a request order. Text that is not a JSON object is taken as the command line, as published
 * clients do. Unknown members are ignored here: they were signed by somebody, but nobody in the enclave reads them.
 */
export function parse(text: string): Params {
  const json = object(text)
  if (json === undefined) return text === '' ? {} : { args: text }
  const params: Params = {}
  if (json.iexec_args !== undefined) params.args = string('iexec_args', json.iexec_args)
  if (json.iexec_input_files !== undefined) params.inputFiles = urls(json.iexec_input_files)
  if (json.iexec_secrets !== undefined) params.secrets = secrets(json.iexec_secrets)
  if (json.iexec_result_encryption !== undefined) {
    params.encryptResult = boolean('iexec_result_encryption', json.iexec_result_encryption)
  }
  if (json.iexec_result_storage_provider !== undefined) params.storageProvider = provider(json)
  if (json.bulk_cid !== undefined) params.bulkCid = string('bulk_cid', json.bulk_cid)
  return params
}

/**
 * The words of a command line: split at blanks, with '…' and "…" around words that hold blanks, and \ before a
 * character taken as it is. Nothing is expanded: no shell is ever involved.
 */
export function argv(args: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let position = 0; position < args.length; position++) {
    const character = args.charAt(position)
    if (quote !== undefined && character === quote) quote = undefined
    else if (character === '\\' && quote !== "'" && position + 1 < args.length)
      word = (word ?? '') + args.charAt(++position)
    else if (quote !== undefined) word = (word ?? '') + character
    else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + character
  }
  if (quote !== undefined) {
    throw new InvalidValueError({
      path: 'iexec_args',
      expected: `a command line with every ${quote} closed`,
      value: args,
    })
  }
  return word === undefined ? words : [...words, word]
}

function object(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined
  } catch {
    return undefined
  }
}

function string(path: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new InvalidValueError({ path: `params.${path}`, expected: 'a string', value })
}

function boolean(path: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new InvalidValueError({ path: `params.${path}`, expected: 'true or false', value })
}

/** The published client also writes a list as one string with commas. */
function urls(value: unknown): string[] {
  const list: unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [value]
  return list.map((url, index) => {
    if (typeof url === 'string' && /^https?:\/\//.test(url) && URL.canParse(url)) return url
    throw new InvalidValueError({ path: `params.iexec_input_files[${index}]`, expected: 'an http(s) URL', value: url })
  })
}

function secrets(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidValueError({ path: 'params.iexec_secrets', expected: 'an object of number -> name', value })
  }
  return Object.fromEntries(
    Object.entries(value).map(([number, name]) => {
      if (!/^[1-9]\d{0,8}$/.test(number)) {
        throw new InvalidValueError({ path: 'params.iexec_secrets', expected: 'numbered from 1', value: number })
      }
      return [number, string(`iexec_secrets.${number}`, name)]
    }),
  )
}

function provider(json: Record<string, unknown>): 'ipfs' | 'dropbox' {
  const value = json.iexec_result_storage_provider
  if (value === 'ipfs' || value === 'dropbox') return value
  throw new InvalidValueError({ path: 'params.iexec_result_storage_provider', expected: '"ipfs" or "dropbox"', value })
}
