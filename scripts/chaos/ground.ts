// What the services stand on: a chain that can be told to forget blocks, and a PostgreSQL that can be restarted.
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connectChain, type Postgres, postgresDirectory, startPostgres } from '@sealdeal/server'
import { startAnvil } from '../../test/deploy/anvil.ts'
import { openFront } from './front.ts'

/** Seconds between blocks, once the scene is set. */
const BLOCK_SECONDS = 1

export async function openChain() {
  const anvil = await startAnvil({ id: 31_337n, args: ['--disable-console-log'] })
  const { provider, chainId } = await connectChain({ url: anvil.url })
  async function mineByClock(on: boolean): Promise<void> {
    await provider.send('evm_setIntervalMining', [on ? BLOCK_SECONDS : 0])
  }
  return {
    url: anvil.url,
    provider,
    chainId,
    mineByClock,
    /** The last blocks are replaced by as many others; the first of these holds the transactions given, signed. */
    async reorganise(depth: number, transactions: readonly string[]): Promise<void> {
      await mineByClock(false)
      try {
        await provider.send('anvil_reorg', [depth, transactions.map((raw) => [raw, 0])])
        await provider.send('evm_mine', [])
      } finally {
        await mineByClock(true)
      }
    },
    async close() {
      provider.destroy()
      await anvil.stop()
    },
  }
}

export type GroundChain = Awaited<ReturnType<typeof openChain>>

export type Databases = {
  /** The connection URL of a service's database, which stays the same; it carries a password. */
  url: (service: string) => Promise<string>
  /** Ends the server, `immediate`: as if the machine had lost power, with a recovery afterwards; and starts it again. */
  restart: (how: 'fast' | 'immediate') => Promise<void>
  close: () => Promise<void>
}

/** A server that waits for the disk, behind an address that outlives it. */
export async function openDatabases(scene: string): Promise<Databases> {
  // Outside of the scene's folder, which is closed to others: as root the server is another user.
  const directory = postgresDirectory({ clone: scene })
  let postgres: Postgres = await startPostgres({ directory })
  const front = await openFront(() => [postgres.port])
  return {
    async url(service) {
      const url = new URL(await postgres.database(`sealdeal_${service}`))
      url.port = String(front.port)
      return url.href
    },
    async restart(how) {
      if (how === 'immediate') {
        const lock = await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')
        process.kill(Number(lock.split('\n')[0]), 'SIGQUIT')
      }
      await postgres.stop()
      postgres = await startPostgres({ directory })
    },
    async close() {
      await front.close()
      await postgres.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
