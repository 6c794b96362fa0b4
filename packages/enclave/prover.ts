import { readFileSync } from 'node:fs'
import { parsePlatform, simulateQuote } from '@sealdeal/attestation'
import type { Hex } from '@sealdeal/protocol'

/** What stands behind a quote. */
export type Prover = {
  /** True for everything that is not hardware: shown wherever the quote is. */
  simulated: boolean
  quote: (measured: { runtime: Hex; rtmr3: Hex; reportData: Hex }) => Promise<Uint8Array>
}

/** Quotes of a simulated platform. It proves nothing about this machine; only a policy that pins its root accepts it. */
export function simulatorProver({ platformFile }: { platformFile: string }): Prover {
  const platform = parsePlatform(JSON.parse(readFileSync(platformFile, 'utf8')))
  return {
    simulated: true,
    quote: ({ runtime, rtmr3, reportData }) => simulateQuote(platform, { mrTd: runtime, rtmr3, reportData }),
  }
}
