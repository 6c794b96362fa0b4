import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { definePlugin } from 'hardhat/plugins'

/**
 * Lets Node run the generated contract types as they are: type stripping wants the real file name in an import, while
 * TypeChain writes the name that a build step would produce.
 */
export const typescriptEndings = definePlugin({
  id: 'typescript-endings',
  dependencies: () => [import('@nomicfoundation/hardhat-typechain')],
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        processArtifactsAfterSuccessfulBuild: async ({ config, globalOptions }) => {
          if (!globalOptions.noTypechain) await rewriteEndings(config.typechain.outDir ?? 'typechain-types')
        },
      }),
    }),
  },
})

async function rewriteEndings(folder: string) {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
    const path = join(entry.parentPath, entry.name)
    const before = await readFile(path, 'utf8')
    const after = before.replaceAll(/(from\s+(['"])\.[^'"]*)\.js\2/g, '$1.ts$2')
    if (after !== before) await writeFile(path, after)
  }
}
