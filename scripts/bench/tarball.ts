import { gunzipSync } from 'node:zlib'

const block = 512

/** The files of a gzipped tar archive as npm makes it, by their path. */
export function readTarball(archive: Uint8Array): Map<string, Buffer> {
  const tar = gunzipSync(archive)
  const files = new Map<string, Buffer>()
  for (let offset = 0; offset + block <= tar.length; ) {
    const header = tar.subarray(offset, offset + block)
    const size = Number.parseInt(text(header, 124, 12), 8) || 0
    const start = offset + block
    const prefix = text(header, 345, 155)
    const name = text(header, 0, 100)
    if (text(header, 156, 1) === '0')
      files.set(prefix === '' ? name : `${prefix}/${name}`, tar.subarray(start, start + size))
    offset = start + Math.ceil(size / block) * block
  }
  return files
}

/** A field of a header: it ends at its first zero byte. */
function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}
