import { expect } from 'chai'
import { collateralSchema } from './collateral.ts'
import { QuoteRefusedError } from './errors.ts'
import { acceptedQuote, flip, INTEL_POLICY, readVector, vectorsMissing } from './fixtures.ts'
import { parseQuote, trimQuote } from './parse.ts'
import { type VerifyQuoteParameters, verifyQuote } from './verify.ts'

/** Of a simulated quote every byte of the binary part is changed, and of the long and uniform text every fourth; of real ones a sample. */
const TEXT_STRIDE = 4
const SAMPLE_STRIDE = 5
const POSITIONS_PER_FIELD = 60
const BUDGET = 120_000

/** Verifies with one byte changed and returns the offsets that were accepted all the same. */
async function acceptedMutations(parameters: VerifyQuoteParameters, offsets: number[]): Promise<number[]> {
  const accepted: number[] = []
  for (const offset of offsets) {
    // Two masks in turn: the lowest bit, and the bit that turns letters' case and digits into other characters.
    const quote = flip(parameters.quote, offset, offset % 2 === 0 ? 0x01 : 0x20)
    try {
      await verifyQuote({ ...parameters, quote })
      accepted.push(offset)
    } catch (error) {
      if (!(error instanceof QuoteRefusedError)) throw error
    }
  }
  return accepted
}

function offsetsOf(quote: Uint8Array): number[] {
  const text = quote.length - parseQuote(quote).pckChain.length - 1
  return Array.from(quote.keys()).filter((offset) => offset < text || (offset - text) % TEXT_STRIDE === 0)
}

describe('a quote with one byte changed', function () {
  this.timeout(BUDGET)

  it('is never accepted: simulated TDX', async () => {
    const { quote, collateral, policy, at } = await acceptedQuote()
    expect(await acceptedMutations({ quote, collateral, policy, at }, offsetsOf(quote))).to.deep.equal([])
  })
  for (const name of ['sgx_quote', 'tdx_quote'] as const) {
    it(`is never accepted: real ${name}`, async function () {
      if (vectorsMissing !== undefined) {
        console.log(`      skipped: ${vectorsMissing}`)
        this.skip()
      }
      const { quote, collateral, at } = readVector(name)
      const tcb = {
        accepted: ['UpToDate' as const, 'ConfigurationAndSWHardeningNeeded' as const],
        advisories: 'any' as const,
      }
      const parameters = { quote, collateral, at, policy: { ...INTEL_POLICY, tcb } }
      expect((await verifyQuote(parameters)).simulated).to.equal(false)
      const sample = offsetsOf(quote).filter((_, index) => index % SAMPLE_STRIDE === 0)
      expect(await acceptedMutations(parameters, sample)).to.deep.equal([])
    })
  }
  it('is never accepted when cut short at any length, or with a byte added', async () => {
    const { quote, collateral, policy, at } = await acceptedQuote()
    for (let length = 0; length < quote.length; length += 3) {
      expect(() => parseQuote(quote.subarray(0, length)), `length ${length}`).to.throw(QuoteRefusedError)
    }
    for (const last of [0, 1]) {
      const longer = Uint8Array.from([...quote, last])
      const outcome = await verifyQuote({ quote: longer, collateral, policy, at }).catch((error: unknown) => error)
      if (!(outcome instanceof QuoteRefusedError)) throw new Error('trailing bytes were accepted')
      expect(outcome.rule).to.equal('quote-trailing-bytes')
    }
    expect(trimQuote(Uint8Array.from([...quote, 0, 0]))).to.deep.equal(quote)
    expect(trimQuote(Uint8Array.from([...quote, 0, 1])).length).to.equal(quote.length + 2)
  })

  it('nor is collateral with one character changed, in any of its fields', async () => {
    const { quote, collateral, policy, at } = await acceptedQuote()
    const accepted: string[] = []
    for (const field of collateralSchema.keyof().options) {
      const text = collateral[field]
      const stride = Math.max(1, Math.floor(text.length / POSITIONS_PER_FIELD))
      for (let index = 0; index < text.length; index += stride) {
        const character = String.fromCharCode(text.charCodeAt(index) ^ 0x01)
        const changed = { ...collateral, [field]: text.slice(0, index) + character + text.slice(index + 1) }
        const outcome = await verifyQuote({ quote, collateral: changed, policy, at }).catch((error: unknown) => error)
        if (!(outcome instanceof QuoteRefusedError)) accepted.push(`${field} at ${index}`)
      }
    }
    expect(accepted).to.deep.equal([])
  })
})
