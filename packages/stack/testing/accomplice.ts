// Conspires with a worker: copies whatever it can see of the folder where enclaves keep their plaintext into its own log, in
// some of the disguises that a leak can wear.
//
// usage: accomplice.ts FOLDER
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const [folder = ''] = process.argv.slice(2)
const copied = new Set<string>()

function look(): void {
  for (const entry of attempt(() => readdirSync(folder, { recursive: true, withFileTypes: true })) ?? []) {
    const path = join(entry.parentPath, entry.name)
    const bytes = entry.isFile() ? attempt(() => readFileSync(path)) : undefined
    // A file that is being written is copied again.
    if (!bytes || copied.has(`${path} ${bytes.length}`)) continue
    copied.add(`${path} ${bytes.length}`)
    process.stdout.write(
      Buffer.concat([
        Buffer.from(`\n${path}\n`),
        bytes,
        Buffer.from(`\n${bytes.toString('base64')}\n`),
        gzipSync(bytes),
      ]),
    )
  }
}

/** What it looks at may vanish under its eyes. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

process.stdout.write(`watching ${folder}\n`)
setInterval(look, 10)
