// What others may try against a running stack. Each is real: the attacker holds everything that the role could get hold of.
import { generateKeyPairSync } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePlatform, replayRtmr3, simulateQuote } from '@sealdeal/attestation'
import { measureRuntime } from '@sealdeal/enclave'
import { type Address, Bundle, Bytes, type Hex, Lease, Session, Task } from '@sealdeal/protocol'
import type { Stack } from '@sealdeal/stack'
import { Wallet } from 'ethers'
import { appFolder, bundleApp } from '../iapps/bundle.ts'

/** A service's own refusal, as it answers over HTTP. */
export class RefusedByServiceError extends Error {
  constructor({ name, reason }: { name: string; reason: string }) {
    super(reason)
    this.name = name
  }
}

async function post(url: URL, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (!response.ok) throw new RefusedByServiceError({ name: String(answer.name), reason: String(answer.error) })
  return answer
}

/**
 * A worker that conspires with its pool (the lease is genuine) and with the simulated hardware (so is the quote) asks for
 * the keys of an open task with an app of its own, which would print them.
 */
export async function askForKeysWithAnotherApp(
  stack: Stack,
  { dealId, index }: { dealId: Hex; index: bigint },
): Promise<void> {
  const { chainId, deployment, endpoints, wallets } = stack
  const worker = wallets.stranger.address as Address
  const taskId = Task.id(dealId, index)
  const attempt = 1n
  const expiry = BigInt(Math.floor(Date.now() / 1000) + 60)
  const domain = Lease.domain({ chainId, hub: deployment.hub })
  const signature = await Lease.sign({ task: taskId, worker, attempt, expiry }, wallets.poolOwner, domain)

  const { publicKey } = generateKeyPairSync('x25519')
  const enclaveKey = Bytes.toHex(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
  const enclaveAddress = Wallet.createRandom().address as Address
  const { nonce } = (await post(new URL('/sessions/nonce', endpoints.sms), {
    dealId,
    index: String(index),
    attempt: String(attempt),
  })) as { nonce: Hex }
  const ownApp = Bundle.checksum(await bundleApp(appFolder('hello-world')))
  const eventLog = [{ event: Session.appEvent, payload: ownApp }]
  const platform = parsePlatform(
    JSON.parse(await readFile(join(stack.directory, 'simulator', 'platform.json'), 'utf8')),
  )
  const quote = await simulateQuote(platform, {
    mrTd: measureRuntime(),
    rtmr3: await replayRtmr3(eventLog),
    reportData: Session.reportData({
      chainId,
      hub: deployment.hub,
      taskId,
      attempt,
      worker,
      enclaveKey,
      enclaveAddress,
      nonce,
    }),
  })
  await post(new URL('/sessions', endpoints.sms), {
    dealId,
    index: String(index),
    worker,
    lease: { attempt: String(attempt), expiry: String(expiry), signature },
    enclaveKey,
    enclaveAddress,
    nonce,
    quote: Bytes.toBase64(quote),
    eventLog,
  } satisfies Session.Request)
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

/** Waits until the pool has given a task up, and returns why. */
export async function untilGivenUp({ endpoints }: Stack, taskId: Hex): Promise<PoolVerdict> {
  for (let waited = 0; waited < 30_000; waited += 100) {
    const response = await fetch(new URL(`/tasks/${taskId}`, endpoints.scheduler))
    const view = (await response.json()) as PoolVerdict
    if (response.ok && view.cause && /FAILED/.test(view.currentStatus)) return view
    if (response.ok && view.currentStatus === 'COMPLETED') throw new Error('the task completed')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`the pool did not give up task ${taskId} in 30 s`)
}
