import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address, Hex } from '@sealdeal/protocol'
import { z } from 'zod'
import { flushFolder, replaceFile } from './files.ts'

const hex = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/)
  .transform((text) => text as Hex)
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text as Address)
const decimal = z.string().regex(/^\d+$/)

/** A lease as the pool's scheduler answers it. Numbers are decimal strings; `expiry` in unix seconds of the chain. */
export const Lease = z.object({
  chainId: decimal,
  hub: address,
  dealId: hex,
  index: decimal,
  taskId: hex,
  worker: address,
  attempt: decimal,
  expiry: decimal,
  signature: hex,
  app: z.object({ address, type: z.string(), multiaddr: hex, checksum: hex }),
  maxSeconds: decimal,
})
export type Lease = z.output<typeof Lease>

/** What the enclave hands out: public values, all of which go on chain. */
export const Outcome = z.object({
  resultDigest: hex,
  results: hex,
  resultsCallback: hex,
  enclaveAddress: address,
  enclaveSignature: hex,
  authorization: hex,
})
export type Outcome = z.output<typeof Outcome>

/** A failure that the enclave signed: the chain ends the task with it, and refunds the payer. */
export const SignedFailure = z.object({
  cause: z.string(),
  /** For the pool: it stays off the chain. */
  message: z.string(),
  enclaveAddress: address,
  enclaveSignature: hex,
  authorization: hex,
})
export type SignedFailure = z.output<typeof SignedFailure>

/** What the worker must remember of a task to finish it after being killed at any moment. Nothing in it is secret. */
export const Entry = z.object({
  lease: Lease,
  outcome: Outcome.optional(),
  failure: SignedFailure.optional(),
  /** Hashes of the transactions that carry the outcome, written before they leave. */
  sent: z.array(hex).default([]),
})
export type Entry = z.output<typeof Entry>

export type Journal = {
  /** Entries of unfinished tasks. */
  entries(): Promise<Entry[]>
  /** Returns when the entry is safe on disk. */
  write(entry: Entry): Promise<void>
  remove(taskId: Hex): Promise<void>
}

/**
 * Opens the journal in `directory`: one small file per task. A file is replaced whole (written aside, flushed, renamed),
 * so a kill leaves the old or the new entry and never half of one.
 */
export async function openJournal(directory: string): Promise<Journal> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = (taskId: Hex) => join(directory, `${taskId}.json`)

  let last: Promise<unknown> = Promise.resolve()

  return {
    async entries() {
      const names = (await readdir(directory)).filter((name) => /^0x[0-9a-f]{64}\.json$/.test(name)).sort()
      const read = await Promise.all(names.map((name) => readEntry(join(directory, name))))
      return read.filter((entry) => entry !== undefined)
    },
    write(entry) {
      const writing = last.then(() => replaceFile(path(entry.lease.taskId), entry))
      last = writing.catch(() => {})
      return writing
    },
    async remove(taskId) {
      await rm(path(taskId), { force: true })
      await flushFolder(directory)
    },
  }
}

/** A file that is not an entry is set aside: losing one attempt is better than never starting again. */
async function readEntry(path: string): Promise<Entry | undefined> {
  try {
    return Entry.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    await rename(path, `${path}.damaged`)
    return undefined
  }
}
