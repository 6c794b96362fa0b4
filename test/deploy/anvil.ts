// A chain of another make than Hardhat's own, in a process of its own, with the chain id of a public testnet.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Wallet } from 'ethers'
import hre, { network } from 'hardhat'

export const chainId = 421_614n

/** Of anvil's public test phrase, with 10,000 ETH. */
export const deployer = new Wallet('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
/** Of the same, with as much. */
export const richKey = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d'

export type Anvil = { url: string; stop: () => Promise<void> }

/** `ANVIL` names another binary than the one among the packages, which have none for some machines. */
function binary(): string | undefined {
  if (process.env.ANVIL !== undefined) return process.env.ANVIL
  const { platform, arch } = process
  const name = `@foundry-rs/anvil-${platform}-${arch === 'x64' ? 'amd64' : arch}`
  try {
    const file = createRequire(import.meta.url).resolve(`${name}/package.json`)
    return join(file, '..', 'bin', platform === 'win32' ? 'anvil.exe' : 'anvil')
  } catch {
    return undefined
  }
}

/** Skips a suite, and says why, where nothing can be deployed to anvil. */
export function skipWithoutAnvil(suite: { skip(): void }): void {
  const reason = hre.globalOptions.coverage
    ? 'with the counting of covered lines in it, the code fits no chain'
    : binary() === undefined && 'the packages have no anvil for this machine: name one by ANVIL'
  if (reason === false) return
  console.log(`    Not deployed to anvil: ${reason}.`)
  suite.skip()
}

/** Starts an empty chain on a free port. */
export async function startAnvil({ id = chainId, args = [] }: { id?: bigint; args?: string[] } = {}): Promise<Anvil> {
  const child = spawn(binary() ?? 'anvil', ['--chain-id', String(id), '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  process.once('exit', () => child.kill('SIGKILL'))
  return {
    url: `http://127.0.0.1:${await portOf(child)}`,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Reads on after it has found the port: anvil writes a line for each call, and stops when nobody takes them. */
function portOf(child: ChildProcessByStdio<null, Readable, null>): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (said.length < 10_000) said += chunk
      const [, port] = /Listening on 127\.0\.0\.1:(\d+)/.exec(said) ?? []
      if (port !== undefined) resolve(port)
    })
    child.on('error', reject)
    child.on('exit', () => reject(new Error(`anvil ended before it listened:\n${said}`)))
  })
}

/** Hardhat's connection of the testnet's name, but to that URL and with that key. */
export function connect(url: string, { key = deployer.privateKey, id = chainId }: { key?: string; id?: bigint } = {}) {
  return network.create({ network: 'arbitrumSepolia', override: { url, accounts: [key], chainId: Number(id) } })
}

export type Connection = Awaited<ReturnType<typeof connect>>
