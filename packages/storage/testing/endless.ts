import { randomBytes } from 'node:crypto'
import { createBlobs } from '../blobs.ts'
import { openBlocks } from '../blocks.ts'

// A writer without end, for a test that kills it.
const [, , directory = ''] = process.argv
const blobs = createBlobs({ blocks: await openBlocks({ directory }) })

async function* endless() {
  while (true) {
    process.stdout.write('.')
    yield randomBytes(700_000)
  }
}

await blobs.add(
  (async function* () {
    yield { path: 'endless', content: endless() }
  })(),
)
