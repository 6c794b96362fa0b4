import { sha256 } from 'ethers'
import * as Archive from './Archive.ts'
import * as Bytes from './Bytes.ts'
import { InvalidValueError } from './errors.ts'
import type { Hex } from './hex.ts'

/** `m_appType` of an app that is a bundle of files instead of a container image. */
export const type = 'BUNDLE'

/** The file that says how a bundle is run. */
export const manifestPath = 'iapp.json'

/** Command and arguments; the first word is a program of the enclave's runtime, paths are relative to the bundle. */
export type Manifest = { entrypoint: string[] }
export type Bundle = { manifest: Manifest; files: Map<string, Uint8Array> }

/**
 * An app's files as one archive, equal bytes for equal files on every machine.
 *
 * @throws InvalidValueError when `iapp.json` is missing or does not name an entry point.
 */
export async function pack(files: Archive.Files): Promise<Uint8Array<ArrayBuffer>> {
  manifestOf(new Map(Archive.entries(files)))
  return Archive.pack(files)
}

/** Manifest and files of a bundle. Throws when it is not one. */
export async function unpack(bytes: Uint8Array): Promise<Bundle> {
  const files = await Archive.unpack(bytes)
  return { manifest: manifestOf(files), files }
}

/** What stands on chain as `m_appChecksum`, and what an enclave measures: sha256 of the bundle. */
export function checksum(bytes: Uint8Array): Hex {
  return sha256(bytes) as Hex
}

function manifestOf(files: ReadonlyMap<string, Uint8Array>): Manifest {
  const bytes = files.get(manifestPath)
  if (bytes === undefined) {
    throw new InvalidValueError({ path: `bundle.${manifestPath}`, expected: 'a file of the bundle', value: undefined })
  }
  const json = parse(bytes)
  const entrypoint = typeof json === 'object' && json !== null && 'entrypoint' in json ? json.entrypoint : undefined
  if (Array.isArray(entrypoint) && entrypoint.length > 0 && entrypoint.every(isWord)) return { entrypoint }
  throw new InvalidValueError({
    path: `bundle.${manifestPath}.entrypoint`,
    expected: 'a list of words such as ["node", "main.js"]',
    value: entrypoint,
  })
}

function isWord(word: unknown): word is string {
  return typeof word === 'string' && word !== '' && !word.includes('\0')
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Bytes.toUtf8(bytes))
  } catch {
    return undefined
  }
}
