// What others may try against a running stack. Each is real: the attacker holds everything that the role could get hold of.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Address, Bundle, type Hex } from '@sealdeal/protocol'
import { appFolder, bundleApp } from '../../../iapps/bundle.ts'
import type { Stack } from '../stack.ts'
import { prepareSession, requestSession } from './impostor.ts'

/**
 * A worker that conspires with its pool (the lease is genuine) and with the simulated hardware (so is the quote) asks for
 * the keys of an open task with an app of its own, which would print them.
 *
 * @throws RefusedByServiceError
 */
export async function askForKeysWithAnotherApp(
  stack: Stack,
  { dealId, index }: { dealId: Hex; index: bigint },
): Promise<void> {
  const { request } = await prepareSession(stack, {
    dealId,
    index,
    checksum: Bundle.checksum(await bundleApp(appFolder('hello-world'))),
    lessor: stack.wallets.poolOwner,
    worker: stack.wallets.stranger.address as Address,
  })
  await requestSession(stack, request)
}

/** Changes one bit of a stored blob where it lies on the storage's disk. */
export async function flipStoredBit(stack: Stack, ciphertext: Uint8Array): Promise<void> {
  const folder = join(stack.directory, 'storage')
  const start = Buffer.from(ciphertext.subarray(0, 64))
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const block = await readFile(path)
    const at = block.indexOf(start)
    if (at < 0) continue
    const bit = at + start.length
    block.writeUInt8(block.readUInt8(bit) ^ 1, bit)
    await writeFile(path, block)
    return
  }
  throw new Error(`no file below ${folder} holds the stored bytes`)
}

/** What the pool says of a task that failed. */
export type PoolVerdict = { currentStatus: string; cause?: string; message?: string; remedy?: string }

/** Waits until the pool has given a task up (at most `timeout` milliseconds), and returns why. */
export async function untilGivenUp(
  { endpoints }: Stack,
  taskId: Hex,
  { timeout = 30_000 }: { timeout?: number } = {},
): Promise<PoolVerdict> {
  const end = performance.now() + timeout
  while (performance.now() < end) {
    const response = await fetch(new URL(`/tasks/${taskId}`, endpoints.scheduler))
    const view = (await response.json()) as PoolVerdict
    if (response.ok && view.cause && /FAILED/.test(view.currentStatus)) return view
    if (response.ok && view.currentStatus === 'COMPLETED') throw new Error('the task completed')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`the pool did not give up task ${taskId} in ${timeout / 1000} s`)
}
