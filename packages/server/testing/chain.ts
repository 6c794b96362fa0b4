// For tests only: a chain of one's own over HTTP, as a real node serves it. Not exported by the package.
import type { Address } from '@sealdeal/protocol'
import hre from 'hardhat'
import { type Chain, connectChain } from '../chain.ts'

export type TestChain = Chain & { url: string; close: () => Promise<void> }

/** Starts Hardhat's simulated chain on a free port of this machine. Account n is that of its well-known mnemonic. */
export async function startTestChain(): Promise<TestChain> {
  const server = await hre.network.createServer('hardhat', '127.0.0.1', 0)
  const { address, port } = await server.listen()
  const url = `http://${address}:${port}`
  const chain = await connectChain({ url })
  async function close(): Promise<void> {
    chain.provider.destroy()
    await server.close()
  }
  return { ...chain, url, close }
}

/** Address of an account that the node holds the key of. */
export async function testAccount({ provider }: Chain, index: number): Promise<Address> {
  return (await provider.getSigner(index)).address as Address
}
