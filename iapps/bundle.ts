import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Bundle } from '@sealdeal/protocol'
import { build } from 'esbuild'

/** The one file of code in a bundle; `iapp.json` names it. The ending makes it a module wherever it is unpacked. */
const CODE = 'main.mjs'

/**
 * Packs the app in a folder into its bundle: `iapp.json`, and `main.ts` with all that it imports as one module for Node 24.
 * The bytes depend on the sources and on esbuild's version alone: not on the folder, the clock or the machine.
 *
 * @param folder - For example `iapps/private-training`.
 * @returns the canonical archive whose SHA-256 is registered as the app's checksum.
 * @throws InvalidValueError when `iapp.json` does not name an entry point; esbuild's error when the code cannot be built.
 *
 * @example
 * const bundle = await bundleApp('iapps/private-training')
 * const checksum = Bundle.checksum(bundle)
 */
export async function bundleApp(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: ['main.ts'],
    outfile: CODE,
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    charset: 'utf8',
    // Readable code, without the comments that tell where on this disk a module was found.
    minify: false,
    legalComments: 'eof',
    sourcemap: false,
    tsconfigRaw: '{}',
    logLevel: 'silent',
  })
  const code = withoutPaths(outputFiles[0]?.text ?? '')
  return Bundle.pack({
    'iapp.json': readFileSync(join(folder, 'iapp.json')),
    [CODE]: new TextEncoder().encode(code),
  })
}

/** Takes out the lines in which esbuild names the file that follows: they tell how dependencies lie on this disk. */
function withoutPaths(code: string): string {
  return code.replaceAll(/^\/\/ (?:\.\.\/)*[\w@./-]+\.(?:ts|mts|js|mjs|cjs|json)\n/gm, '')
}

/** The folder of an app that ships with the repository. */
export function appFolder(name: string): string {
  return join(import.meta.dirname, basename(name))
}
