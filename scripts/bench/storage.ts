// `node scripts/bench/storage.ts`: a file of BYTES (5 GB unless told) goes into a storage server and comes back, beside
// the same bytes written to the same disk by this process. Prints the server's greatest resident memory, as the kernel
// keeps it (Linux), and megabytes per second. The file is generated while it is sent: it never lies on this side's disk.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { root } from '../run.ts'

const bytes = Number(process.env.BYTES ?? 5_000_000_000)
const chunk = 262_144

const directory = await mkdtemp(join(tmpdir(), 'bench-storage-'))
try {
  const raw = await timed(() => writeRaw(join(directory, 'raw')))
  const server = await startServer(join(directory, 'storage'))
  try {
    const idle = await peakOf(server)
    const uploaded = await timed(() => upload(server.url))
    const afterUpload = await peakOf(server)
    const downloaded = await timed(() => download(server.url, uploaded.value))
    const afterDownload = await peakOf(server)
    console.log(`a file of ${(bytes / 1e9).toFixed(2)} GB`)
    console.log(`raw write and sync to the same disk  ${rate(raw.seconds)}`)
    console.log(`upload                               ${rate(uploaded.seconds)}  peak RSS ${afterUpload} MB`)
    console.log(`download                             ${rate(downloaded.seconds)}  peak RSS ${afterDownload} MB`)
    console.log(`the server after its start           peak RSS ${idle} MB`)
  } finally {
    server.child.kill()
    await once(server.child, 'exit')
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}

/** No two chunks are the same: each begins with its number, so that every block is written. */
function* content(): Generator<Uint8Array> {
  for (let sent = 0; sent < bytes; sent += chunk) {
    const part = Buffer.alloc(Math.min(chunk, bytes - sent), 0x5a)
    if (part.length >= 8) part.writeBigUInt64LE(BigInt(sent))
    yield part
  }
}

async function writeRaw(path: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (const part of content()) await file.writeFile(part)
    await file.sync()
  } finally {
    await file.close()
    await rm(path)
  }
}

async function startServer(folder: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(root, 'packages/storage/main.ts')], {
    env: { PATH: process.env.PATH, STORAGE_DIRECTORY: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    const { msg, url } = JSON.parse(line) as { msg: string; url: string }
    if (msg !== 'listening') continue
    child.stdout?.resume()
    return { child, url }
  }
  throw new Error('the storage did not start')
}

/** Returns the CID. */
async function upload(url: string): Promise<string> {
  const boundary = 'bench'
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="big"\r\ncontent-type: application/octet-stream\r\n\r\n`
  function* form() {
    yield Buffer.from(head)
    yield* content()
    yield Buffer.from(`\r\n--${boundary}--\r\n`)
  }
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
  const sending = request(new URL('/api/v0/add', url), { method: 'POST', headers })
  const answered = once(sending, 'response')
  await pipeline(Readable.from(form(), { objectMode: false }), sending)
  const [answer] = (await answered) as [Readable & { statusCode: number }]
  const text = (await answer.toArray()).join('')
  if (answer.statusCode !== 200) throw new Error(`the upload was answered with ${answer.statusCode}: ${text}`)
  return (JSON.parse(text) as { Hash: string }).Hash
}

async function download(url: string, cid: string): Promise<void> {
  const answer = await fetch(`${url}/ipfs/${cid}`)
  let received = 0
  for await (const part of answer.body ?? []) received += part.length
  if (received !== bytes) throw new Error(`${received} of ${bytes} bytes came back`)
}

/** The greatest resident memory since the start, in megabytes. */
async function peakOf({ child }: { child: ChildProcess }): Promise<string> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]
  return kilobytes === undefined ? 'unknown' : String(Math.round((Number(kilobytes) * 1_024) / 1e6))
}

async function timed<Value>(work: () => Promise<Value>): Promise<{ value: Value; seconds: number }> {
  const began = performance.now()
  const value = await work()
  return { value, seconds: (performance.now() - began) / 1_000 }
}

function rate(seconds: number): string {
  return `${(bytes / 1e6 / seconds).toFixed(0).padStart(5)} MB/s`
}
