import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPlatform, createPolicy, createRoot } from '@sealdeal/attestation'
import { writePlatform, writeRoot } from '@sealdeal/attestation/files'
import { measureRuntime } from '@sealdeal/enclave'

/** The files of a stack's simulated hardware: each holds only what its reader may know. */
export type SimulatorFiles = {
  /** For workers: the simulated machine's keys. */
  platformFile: string
  /** For the secret service: which roots and measurements it believes. */
  policyFile: string
  /** For the secret service: the collateral that quotes are verified with. */
  collateralFile: string
}

/** Makes simulated hardware under a root of its own, and a policy that trusts it and this clone's enclave runtime, nothing else. */
export async function makeSimulator({ directory, at }: { directory: string; at: Date }): Promise<SimulatorFiles> {
  const root = await createRoot({ at })
  const platform = await createPlatform(root, { at })
  const policy = await createPolicy(root, [{ tee: 'tdx', name: 'this clone', mrTd: measureRuntime() }])
  const file = (name: string) => join(directory, name)
  writeRoot(file('root.json'), root)
  writePlatform(file('platform.json'), platform)
  writeFileSync(file('policy.json'), JSON.stringify(policy, null, 2))
  writeFileSync(file('collateral.json'), JSON.stringify(platform.collateral, null, 2))
  return {
    platformFile: file('platform.json'),
    policyFile: file('policy.json'),
    collateralFile: file('collateral.json'),
  }
}
