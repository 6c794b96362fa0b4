import { verifyContract } from '@nomicfoundation/hardhat-verify/verify'
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import type { PlannedContract } from './predict.ts'

/** The kinds of block explorers that sources can be given to. */
export const explorers = ['blockscout', 'etherscan'] as const
export type ExplorerKind = (typeof explorers)[number]

/** A contract that an explorer could not be convinced of. */
export type Unverified = { explorer: ExplorerKind; contract: string; reason: string }

/**
 * Hands the sources of every contract to the block explorers of the chain, which compile them and compare. One that fails
 * does not keep the others from it.
 *
 * @param hre - Made for the network that the contracts are on, with the build profile that they were compiled with.
 */
export async function verifySources({
  hre,
  contracts,
  onProgress = () => {},
}: {
  hre: HardhatRuntimeEnvironment
  contracts: PlannedContract[]
  onProgress?: (line: string) => void
}): Promise<Unverified[]> {
  const unverified: Unverified[] = []
  for (const explorer of explorers) {
    if (explorer === 'etherscan' && (await hre.config.verify.etherscan.apiKey.get()) === '') {
      onProgress('etherscan           skipped: it takes a key, ETHERSCAN_API_KEY, and there is none')
      continue
    }
    for (const { contract, address, args } of contracts) {
      const reason = await verifyOne({ hre, explorer, contract, address, args })
      onProgress(`${contract.padEnd(18)} ${reason === undefined ? 'verified on' : 'NOT VERIFIED on'} ${explorer}`)
      if (reason !== undefined) unverified.push({ explorer, contract, reason })
    }
  }
  return unverified
}

/** Why it did not work, or nothing. */
async function verifyOne({
  hre,
  explorer,
  contract,
  address,
  args,
}: {
  hre: HardhatRuntimeEnvironment
  explorer: ExplorerKind
} & Pick<PlannedContract, 'contract' | 'address' | 'args'>): Promise<string | undefined> {
  const { sourceName } = await hre.artifacts.readArtifact(contract)
  const told = quietly()
  try {
    await verifyContract(
      { address, constructorArgs: args, contract: `${sourceName}:${contract}`, provider: explorer },
      hre,
    )
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    told.end()
  }
}

/** Hardhat tells its whole story on the console, eight times over. */
function quietly(): { end: () => void } {
  const { log } = console
  console.log = () => {}
  return {
    end() {
      console.log = log
    },
  }
}
