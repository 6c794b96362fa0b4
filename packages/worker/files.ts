import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Replaces a JSON file whole: written aside, flushed, renamed. A kill leaves the old or the new one and never half of
 * one; when this returns, the new one is on disk.
 */
export async function replaceFile(path: string, content: unknown): Promise<void> {
  const aside = `${path}.new`
  const file = await open(aside, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(aside, path)
  await flushFolder(dirname(path))
}

/** Makes names that were added to or removed from a folder survive a power cut. */
export async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}
