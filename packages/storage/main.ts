import { runProcess, serve } from '@sealdeal/server'
import { createBlobs } from './blobs.ts'
import { openBlocks } from './blocks.ts'
import { schema } from './config.ts'
import { routes, statuses } from './routes.ts'

await runProcess({
  name: 'storage',
  schema,
  env: process.env,
  start: async ({ config, log, onClose }) => {
    const blocks = await openBlocks({ directory: config.STORAGE_DIRECTORY })
    const server = await serve({
      name: 'storage',
      host: config.HOST,
      port: config.PORT,
      log,
      routes: routes({
        blobs: createBlobs({ blocks }),
        limits: { fileBytes: config.STORAGE_MAX_FILE_BYTES, files: config.STORAGE_MAX_FILES },
      }),
      errors: statuses,
      ready: { disk: () => blocks.check() },
    })
    onClose(() => server.close())
  },
})
