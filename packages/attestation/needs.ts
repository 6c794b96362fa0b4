import { toHex } from './bytes.ts'
import { parseChain } from './certificate.ts'
import { parseQuote } from './parse.ts'
import { readPck } from './pck.ts'

/** Which collateral a quote has to be judged by: what Intel's service, or a cache of it, is asked for. */
export type CollateralNeeds = {
  tee: 'sgx' | 'tdx'
  /** Family of processors, 12 hexadecimal digits in upper case. */
  fmspc: string
  /** Who issued the platform's certificate. */
  authority: 'processor' | 'platform'
}

/**
 * Reads what collateral a quote needs. Nothing in the quote is trusted yet: it is good for fetching, and for nothing else.
 *
 * @throws QuoteRefusedError when it is no quote.
 */
export function collateralNeeds(bytes: Uint8Array): CollateralNeeds {
  const quote = parseQuote(bytes)
  const [leaf, authority] = parseChain({ pem: quote.pckChain, length: 3, what: 'PCK certificate chain' })
  return {
    tee: quote.body.tee,
    fmspc: toHex(readPck(leaf).fmspc).slice(2).toUpperCase(),
    authority: authority.commonName.includes('Platform') ? 'platform' : 'processor',
  }
}
