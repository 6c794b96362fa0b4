import { setTimeout as sleep } from 'node:timers/promises'
import type { Address, Hex } from '@sealdeal/protocol'
import { BaseError } from '@sealdeal/protocol'
import { JsonRpcProvider, Network, Wallet } from 'ethers'
import { readKeyFile } from './config.ts'
import { overHttp, overSocket } from './transport.ts'

/** No chain answers at the configured URL. */
export class ChainUnreachableError extends BaseError {
  override name = 'ChainUnreachableError'
  constructor({ url, cause }: { url: string; cause: unknown }) {
    // A provider's URL often carries an access key in its path: only the host is named.
    super(`No chain answers at ${new URL(url).host}.`, {
      cause,
      metaMessages: ['Is CHAIN_URL right, and the node running?'],
      docsPath: '/operate#chain',
    })
  }
}

/** The one thing that watching a chain needs: any ethers JSON-RPC provider has it. */
export type ChainAccess = { send: (method: string, params: unknown[]) => Promise<unknown> }

export type Chain = { provider: JsonRpcProvider; chainId: bigint }

/**
 * Connects to a chain and waits up to `patience` milliseconds for its first answer. Answers are not cached and requests
 * not held back for batching: agents react within one block.
 *
 * @throws {ChainUnreachableError}
 */
export async function connectChain({ url, patience = 20_000 }: { url: string; patience?: number }): Promise<Chain> {
  const network = Network.from(await readChainId({ url, patience }))
  const options = {
    staticNetwork: network,
    cacheTimeout: -1,
    batchMaxCount: 1,
    batchStallTime: 0,
    pollingInterval: 100,
  }
  const transport = url.startsWith('ws') ? overSocket(url) : overHttp(url)
  const provider = new JsonRpcProvider(url, network, options)
  // Answers may be errors, which the method's type leaves out and its caller looks for.
  provider._send = transport.send as JsonRpcProvider['_send']
  const destroy = provider.destroy.bind(provider)
  provider.destroy = () => {
    destroy()
    transport.close()
  }
  return { provider, chainId: network.chainId }
}

async function readChainId({ url, patience }: { url: string; patience: number }): Promise<bigint> {
  const deadline = Date.now() + patience
  for (;;) {
    try {
      return url.startsWith('ws') ? await chainIdOverSocket(url) : await chainIdOverHttp(url)
    } catch (cause) {
      if (Date.now() > deadline) throw new ChainUnreachableError({ url, cause })
      await sleep(200)
    }
  }
}

async function chainIdOverHttp(url: string): Promise<bigint> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
    signal: AbortSignal.timeout(5_000),
  })
  const { result } = (await response.json()) as { result: Hex }
  return BigInt(result)
}

function chainIdOverSocket(url: string): Promise<bigint> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    const timer = setTimeout(() => fail(new Error('no answer in time')), 5_000)
    function fail(error: Error): void {
      clearTimeout(timer)
      socket.close()
      reject(error)
    }
    socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }))
    socket.onerror = () => fail(new Error('the connection failed'))
    socket.onmessage = ({ data }) => {
      clearTimeout(timer)
      socket.close()
      resolve(BigInt((JSON.parse(String(data)) as { result: Hex }).result))
    }
  })
}

/** The wallet whose key is in the file; the key itself stays inside. */
export async function openWallet({ keyFile, chain }: { keyFile: string; chain: Chain }): Promise<Wallet> {
  return new Wallet(await readKeyFile(keyFile), chain.provider)
}

/** The wallet's address, checksummed. */
export function addressOf(wallet: Wallet): Address {
  return wallet.address as Address
}
