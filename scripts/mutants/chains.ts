// What the chains of this process are told (which mutant is active) and tell (which sites a test passes).
import hre from 'hardhat'
import type { NetworkConnection } from 'hardhat/types/network'
import { RECORDING, SWITCH } from './switch.ts'

/** The sites that were passed by whatever made a state of a chain. */
type History = Set<number>

let active = 0
let reached: History = new Set()
let history: History = new Set()
const histories = new Map<string, History>()
const connections = new Set<NetworkConnection>()

/** Must be called before the first chain is made. Only a chain that records has the means to: they cost time. */
export function watchChains({ recording }: { recording: boolean }) {
  if (recording) active = RECORDING
  hre.hooks.registerHandlers('network', {
    async newConnection(context, next) {
      const connection = await next(context)
      connections.add(connection as NetworkConnection)
      await activateOn(connection as NetworkConnection)
      return connection
    },
    async closeConnection(context, connection, next) {
      connections.delete(connection as NetworkConnection)
      await next(context, connection)
    },
    async onRequest(context, connection, request, next) {
      const response = await next(context, connection, request)
      if ('error' in response) return response
      if (request.method === 'evm_snapshot') histories.set(String(response.result), new Set(history))
      if (request.method === 'evm_revert' && response.result === true) {
        history = new Set(histories.get(String((request.params as unknown[])[0])))
        for (const site of history) reached.add(site)
        // The state that came back is from another time, and so is its switch.
        await activateOn(connection as NetworkConnection)
      }
      return response
    },
    ...(recording && {
      async onCoverageData(_context, tags) {
        for (const tag of tags) {
          const site = Number.parseInt(tag, 16)
          history.add(site)
          reached.add(site)
        }
      },
    }),
  })
}

/** Makes every chain run that mutant from now on; 0 is the original. */
export async function activate(mutant: number) {
  active = mutant
  for (const connection of connections) await activateOn(connection)
}

/** All sites passed since the last call: by the test itself, and before it by what made the states that it started from. */
export function takeReached(): number[] {
  const sites = [...reached]
  reached = new Set()
  return sites
}

/** The sites passed by what made the states that tests start from. */
export function sitesOfFixtures(): number[] {
  return [...new Set([...histories.values()].flatMap((sites) => [...sites]))]
}

async function activateOn(connection: NetworkConnection) {
  await connection.provider.request({ method: 'hardhat_setCode', params: [SWITCH, `0x${'00'.repeat(active)}`] })
}
