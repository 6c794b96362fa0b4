// What a process holds in memory, searched for a canary.
import { open, readFile } from 'node:fs/promises'
import { type Finding, needles } from './canary.ts'

const PIECE_BYTES = 16 * 1024 * 1024
const PAGE_BYTES = 4096

type Region = { start: number; end: number }

/** `bytes`: how much was read; none where the kernel does not let us. */
export type MemoryScan = { bytes: number; findings: Finding[] }

/** Searches the memory that a process can write to: its heaps, stacks and buffers. */
export async function scanMemory(pid: number, ...canaries: (string | Uint8Array)[]): Promise<MemoryScan> {
  const wanted = canaries.flatMap(needles)
  const overlap = Math.max(...wanted.map(({ bytes }) => bytes.length))
  const scan: MemoryScan = { bytes: 0, findings: [] }
  const memory = await open(`/proc/${pid}/mem`, 'r').catch(() => undefined)
  if (!memory) return scan
  const buffer = Buffer.alloc(PIECE_BYTES + overlap)
  try {
    for (const { start, end } of await presentRegions(pid)) {
      for (let at = start; at < end; at += PIECE_BYTES) {
        const length = Math.min(buffer.length, end - at)
        // A region may be gone by now.
        const { bytesRead } = await memory.read(buffer, 0, length, at).catch(() => ({ bytesRead: 0 }))
        const piece = buffer.subarray(0, bytesRead)
        scan.bytes += bytesRead
        for (const { form, bytes } of wanted)
          if (piece.includes(bytes)) scan.findings.push({ where: `memory of process ${pid}`, form })
      }
    }
  } finally {
    await memory.close()
  }
  return scan
}

/** Runs of pages that exist. What was only reserved, gigabytes of it, is not read. */
async function presentRegions(pid: number): Promise<Region[]> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => '')
  const pages = await open(`/proc/${pid}/pagemap`, 'r').catch(() => undefined)
  const found: Region[] = []
  try {
    for (const [, from = '', to = ''] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)) {
      const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)]
      const entries = Buffer.alloc(((end - start) / PAGE_BYTES) * 8)
      const read = await pages?.read(entries, 0, entries.length, (start / PAGE_BYTES) * 8).catch(() => undefined)
      for (let at = 0; at < (read?.bytesRead ?? 0); at += 8) {
        // The two highest bits of an entry: present, or in swap.
        if ((entries[at + 7] ?? 0) < 0x40) continue
        const page = start + (at / 8) * PAGE_BYTES
        const last = found.at(-1)
        if (last?.end === page) last.end += PAGE_BYTES
        else found.push({ start: page, end: page + PAGE_BYTES })
      }
    }
  } finally {
    await pages?.close()
  }
  return found
}
