import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Bundle } from '@sealdeal/protocol'

export type RunBundleParameters = {
  bundle: Uint8Array
  args?: string[]
  /** Decrypted datasets, by the names under which the app finds them. */
  datasets?: Record<string, Uint8Array>
  env?: Record<string, string>
}

export type RunBundleReturnType = { code: number | null; stdout: string; stderr: string; files: Map<string, string> }

/**
 * Runs a bundle in the clear, as its developer would: unpacked into a temporary folder, with the environment that a task gives it and
 * nothing else. What a task must return is what this returns.
 */
export async function runBundle({
  bundle,
  args = [],
  datasets = {},
  env = {},
}: RunBundleParameters): Promise<RunBundleReturnType> {
  const folder = mkdtempSync(join(tmpdir(), 'iapp-'))
  try {
    const { manifest, files } = await Bundle.unpack(bundle)
    const paths = { app: join(folder, 'app'), in: join(folder, 'in'), out: join(folder, 'out') }
    for (const path of Object.values(paths)) mkdirSync(path)
    for (const [path, bytes] of files) {
      mkdirSync(dirname(join(paths.app, path)), { recursive: true })
      writeFileSync(join(paths.app, path), bytes)
    }
    for (const [name, bytes] of Object.entries(datasets)) writeFileSync(join(paths.in, name), bytes)
    const [program = 'node', ...words] = manifest.entrypoint
    const child = spawn(program === 'node' ? process.execPath : program, [...words, ...args], {
      cwd: paths.app,
      env: { IEXEC_IN: paths.in, IEXEC_OUT: paths.out, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = Promise.all([text(child.stdout), text(child.stderr)])
    const { promise, resolve, reject } = Promise.withResolvers<number | null>()
    child.once('error', reject).once('close', resolve)
    const code = await promise
    const [stdout, stderr] = await output
    const results = readdirSync(paths.out).map((name): [string, string] => [
      name,
      readFileSync(join(paths.out, name), 'utf8'),
    ])
    return { code, stdout, stderr, files: new Map(results) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function text(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}
