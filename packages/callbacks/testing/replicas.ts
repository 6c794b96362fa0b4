// For tests only: the service as processes that can be killed.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { writeKeyFile } from '@sealdeal/server'
import { hexlify, type Wallet } from 'ethers'
import type { World } from './world.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

export type Replica = { url: string; kill: () => Promise<void> }

/** Starts processes over the world's chain and database; with a key, they deliver on chain again. */
export async function openReplicas(world: World, { relayer }: { relayer?: Wallet } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sealdeal-callbacks-'))
  const keyFile = join(folder, 'master')
  await writeKeyFile({ path: keyFile, key: hexlify(world.master) as `0x${string}` })
  const relayerFile = join(folder, 'relayer')
  if (relayer) await writeKeyFile({ path: relayerFile, key: relayer.privateKey as `0x${string}` })
  const relaying = relayer && { CALLBACK_RELAY_ADDRESS: world.relay, WALLET_KEY_FILE: relayerFile }
  const children = new Set<ChildProcess>()

  async function start(): Promise<Replica> {
    const env = {
      PATH: process.env.PATH,
      CHAIN_URL: world.chain.url,
      HUB_ADDRESS: world.hubAddress,
      DATABASE_URL: world.databaseUrl,
      CALLBACKS_MASTER_KEY_FILE: keyFile,
      ALLOW_PRIVATE_TARGETS: '1',
      CONFIRMATIONS: '0',
      FOLLOW_INTERVAL: '10',
      RETRY_MS: '5',
      REQUEST_TIMEOUT_MS: '400',
      EXIT_ON_STDIN_EOF: '1',
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      ...relaying,
    }
    const child = spawn(process.execPath, [main], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    children.add(child)
    child.stdin.on('error', () => {})
    async function kill(): Promise<void> {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'close')
      child.kill('SIGKILL')
      await ended
    }
    const lines = createInterface({ input: child.stdout })
    const url = await new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => {
        const { msg, url } = JSON.parse(line) as { msg: string; url?: string }
        if (msg === 'listening' && url) resolve(url)
      })
      child.on('close', () => reject(new Error('the service did not start')))
    })
    return { url, kill }
  }
  async function close(): Promise<void> {
    for (const child of children) child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  return { start, close }
}
