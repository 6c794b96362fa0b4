/** What this enclave is, and which app it is about to run, as numbers a quote can carry. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Bytes, type Hex, Session } from '@sealdeal/protocol'

const packages = {
  attestation: fileURLToPath(new URL('.', import.meta.resolve('@sealdeal/attestation'))),
  enclave: dirname(fileURLToPath(import.meta.url)),
  protocol: fileURLToPath(new URL('.', import.meta.resolve('@sealdeal/protocol'))),
}

/**
 * The runtime's measurement: sha384 over one line per source file, `<sha384 of the content> <package>/<path>\n`, sorted by
 * bytes, for every `.ts` (no tests), `.sh` and `package.json` of the enclave and the two packages it is built from. It
 * can be rebuilt from a clone anywhere: neither the place of the clone nor any date enters it.
 *
 * It stands in the quote as MRTD. A simulated quote claims it; only hardware makes the claim binding.
 */
export function measureRuntime(): Hex {
  return measureFiles(runtimeFiles().map(({ name, path }) => ({ name, content: readFileSync(path) })))
}

/** {@link measureRuntime} over any list of files, in the order given. */
export function measureFiles(files: { name: string; content: Uint8Array }[]): Hex {
  return `0x${sha384(files.map(({ name, content }) => `${sha384(content)} ${name}\n`).join(''))}`
}

/** The files that are measured, in order. */
export function runtimeFiles(): { name: string; path: string }[] {
  const files = Object.entries(packages).flatMap(([name, folder]) => {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => isRuntime(path.slice(folder.length)))
      .map((path) => ({ name: `${name}/${path.slice(folder.length).replace(/^\//, '')}`, path }))
  })
  return files.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}

/** The event that extends the app into runtime register 3, before the quote is made. */
export function appEvents(checksum: Hex): Session.MeasuredEvent[] {
  return [{ event: Session.appEvent, payload: checksum }]
}

/** sha256 of the app's bundle, as `m_appChecksum` holds it. */
export function appChecksum(bundle: Uint8Array): Hex {
  return Bytes.toHex(createHash('sha256').update(bundle).digest())
}

function isRuntime(path: string): boolean {
  if (/(^|\/)(node_modules|tests?|testing|fixtures|vectors)\//.test(path)) return false
  if (/(\.test|(^|\/)fixtures)\.ts$/.test(path)) return false
  return /\.(ts|sh)$/.test(path) || path.endsWith('package.json')
}

function sha384(content: string | Uint8Array): string {
  return createHash('sha384').update(content).digest('hex')
}
