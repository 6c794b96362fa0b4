import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { definePlugin } from 'hardhat/plugins'

/**
 * Lets Node run the generated contract types as they are: type stripping wants the real file name in an import, while
 * TypeChain writes the name that a build step would produce. Lists are sorted, since TypeChain writes them in the order in
 * which the compiler happened to finish: the same contracts give the same files.
 */
export const typescriptEndings = definePlugin({
  id: 'typescript-endings',
  dependencies: () => [import('@nomicfoundation/hardhat-typechain')],
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        processArtifactsAfterSuccessfulBuild: async ({ config, globalOptions }) => {
          if (!globalOptions.noTypechain) await makeErasable(config.typechain.outDir ?? 'typechain-types')
        },
      }),
    }),
  },
})

async function makeErasable(folder: string) {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
    const path = join(entry.parentPath, entry.name)
    const before = await readFile(path, 'utf8')
    const runnable = before
      .replaceAll(/(from\s+(['"])\.[^'"]*)\.js\2/g, '$1.ts$2')
      .replaceAll(/^( *export interface OutputObject \{.*\}) *;/gm, '$1')
    const after = ['index.ts', 'hardhat.d.ts'].includes(entry.name) ? sortLists(runnable) : runnable
    if (after !== before) await writeFile(path, after)
  }
}

/** Sorts every run of lines that each name one contract; their order means nothing. */
function sortLists(text: string): string {
  const sorted: string[] = []
  let run: string[] = []
  for (const line of text.split('\n')) {
    const item = line.trimStart()
    if (/^(export |import type |\w+\(name: ')/.test(item)) run.push(item)
    else {
      sorted.push(...run.sort(), line)
      run = []
    }
  }
  return [...sorted, ...run.sort()].join('\n')
}
