import { join } from 'node:path'
import { freePort } from '@sealdeal/server'
import { type Process, startProcess, untilHealthy } from './processes.ts'

/** Asks a chain node one question. */
async function ask(url: string, method: string, params: unknown[] = []): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(2_000),
  })
  const { result } = (await response.json()) as { result?: unknown }
  return result
}

/**
 * Starts Hardhat's node: a chain in memory that mines each transaction at once.
 *
 * @param directory - The repository's root, where the Hardhat configuration lies.
 */
export async function startChain({
  chainId,
  directory,
  logFile,
}: {
  chainId: bigint
  directory: string
  logFile: string
}): Promise<{ url: string; process: Process }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const process_ = startProcess({
    name: 'chain',
    command: process.execPath,
    args: [
      join(directory, 'node_modules', 'hardhat', 'dist', 'src', 'cli.js'),
      ...['node', '--port', String(port), '--hostname', '127.0.0.1', '--chain-id', String(chainId)],
    ],
    directory,
    logFile,
  })
  try {
    await untilHealthy({
      program: process_,
      check: async () => BigInt(String(await ask(url, 'eth_chainId'))) === chainId,
    })
  } catch (error) {
    await process_.stop()
    throw error
  }
  return { url, process: process_ }
}
