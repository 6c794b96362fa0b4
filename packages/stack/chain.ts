import { join } from 'node:path'
import { choosePorts } from './ports.ts'
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
 * @param directory - The repository's root.
 * @throws ProcessNotHealthyError, or the signal's reason; nothing is left running then.
 */
export async function startChain({
  chainId,
  directory,
  logFile,
  env = {},
  signal,
}: {
  chainId: bigint
  directory: string
  logFile: string
  env?: Record<string, string>
  signal?: AbortSignal | undefined
}): Promise<{ url: string; process: Process }> {
  const [port] = await choosePorts(1)
  const url = `http://127.0.0.1:${port}`
  signal?.throwIfAborted()
  const program = startProcess({
    name: 'chain',
    command: process.execPath,
    args: [join(directory, 'packages', 'stack', 'node.ts'), '--port', String(port), '--chain-id', String(chainId)],
    env,
    directory,
    logFile,
  })
  try {
    await untilHealthy({
      program,
      check: async () => BigInt(String(await ask(url, 'eth_chainId'))) === chainId,
      signal,
    })
  } catch (error) {
    await program.stop()
    throw error
  }
  return { url, process: program }
}
