import { QuoteVerifier } from '@phala/dcap-qvl'
import { expect } from 'chai'
import { readBase64 } from './authority.ts'
import type { Collateral } from './collateral.ts'
import { QuoteRefusedError } from './errors.ts'
import {
  acceptedQuote,
  flip,
  flipDigit,
  INTEL_POLICY,
  readVector,
  simulatedStack,
  TD,
  vectorsMissing,
} from './fixtures.ts'
import { assembleQuote, tdReport } from './simulateQuote.ts'
import { type VerifyQuoteParameters, verifyQuote } from './verify.ts'

type Case = Pick<VerifyQuoteParameters, 'quote' | 'collateral' | 'policy' | 'at'>

/** What the other verifier says: the status, or that it refuses. */
function independently({ quote, collateral, at }: Case, rootDer?: Uint8Array): string {
  const verifier = rootDer === undefined ? QuoteVerifier.newProd() : QuoteVerifier.newWithRootCa(Buffer.from(rootDer))
  try {
    return verifier.verify(Buffer.from(quote), collateral, at.getTime() / 1000).status
  } catch {
    return 'refused'
  }
}

async function ourselves({ quote, collateral, policy, at }: Case): Promise<string> {
  try {
    return (await verifyQuote({ quote, collateral, policy, at })).tcb.status
  } catch (error) {
    if (error instanceof QuoteRefusedError) return 'refused'
    throw error
  }
}

describe('beside an independent verifier (@phala/dcap-qvl)', () => {
  it('the simulated quote is accepted by it, given our root, and refused given the root of real hardware', async () => {
    const accepted = await acceptedQuote()
    expect(independently(accepted, readBase64(accepted.root.root.certificate))).to.equal('UpToDate')
    expect(independently(accepted)).to.equal('refused')
  })
  it('both find the same status of real hardware', async function () {
    if (vectorsMissing !== undefined) {
      console.log(`      skipped: ${vectorsMissing}`)
      this.skip()
    }
    const tcb = {
      accepted: ['UpToDate' as const, 'ConfigurationAndSWHardeningNeeded' as const],
      advisories: ['INTEL-SA-00289', 'INTEL-SA-00615'],
    }
    for (const name of ['sgx_quote', 'tdx_quote'] as const) {
      const vector = { ...readVector(name), policy: { ...INTEL_POLICY, tcb } }
      expect(await ourselves(vector)).to.equal(independently(vector))
    }
  })

  describe('both refuse', () => {
    const cases: [string, (accepted: Case) => Partial<Case>][] = [
      ['changed report data', ({ quote }) => ({ quote: flip(quote, 48 + 520) })],
      ['a changed signature', ({ quote }) => ({ quote: flip(quote, 48 + 584 + 4) })],
      ['stale collateral', () => ({ at: new Date('2027-03-01T00:00:00Z') })],
      ['future collateral', () => ({ at: new Date('2026-11-01T00:00:00Z') })],
      ['edited TCB info', ({ collateral }) => ({ collateral: { ...collateral, tcb_info: `${collateral.tcb_info} ` } })],
    ]
    for (const [what, change] of cases) {
      it(what, async () => {
        const accepted = await acceptedQuote()
        const changed = { ...accepted, ...change(accepted) }
        expect(independently(changed, readBase64(accepted.root.root.certificate))).to.equal('refused')
        expect(await ourselves(changed)).to.equal('refused')
      })
    }
  })

  describe('we refuse what it accepts, because it fails open on revocation', () => {
    const cases: [string, (collateral: Collateral) => Partial<Collateral>][] = [
      ['a flipped signature byte in the PCK list', (c) => ({ pck_crl: flipDigit(c.pck_crl) })],
      ['a flipped signature byte in the root list', (c) => ({ root_ca_crl: flipDigit(c.root_ca_crl) })],
      ['the root list in place of the PCK list', (c) => ({ pck_crl: c.root_ca_crl })],
      ['an empty PCK list', () => ({ pck_crl: '' })],
      ['a garbage PCK list issuer chain', () => ({ pck_crl_issuer_chain: 'garbage' })],
    ]
    for (const [what, change] of cases) {
      it(what, async () => {
        const accepted = await acceptedQuote()
        const changed = { ...accepted, collateral: { ...accepted.collateral, ...change(accepted.collateral) } }
        expect(independently(changed, readBase64(accepted.root.root.certificate))).to.equal('UpToDate')
        expect(await ourselves(changed)).to.equal('refused')
      })
    }
    it("another authority's PCK list", async () => {
      const accepted = await acceptedQuote()
      const { pck_crl } = (await simulatedStack()).collateral
      const changed = { ...accepted, collateral: { ...accepted.collateral, pck_crl } }
      expect(independently(changed, readBase64(accepted.root.root.certificate))).to.equal('UpToDate')
      expect(await ourselves(changed)).to.equal('refused')
    })
  })

  describe('we refuse what it accepts, because it does not look there', () => {
    it('bytes after the quote', async () => {
      const accepted = await acceptedQuote()
      const changed = { ...accepted, quote: Uint8Array.from([...accepted.quote, 1]) }
      expect(independently(changed, readBase64(accepted.root.root.certificate))).to.equal('UpToDate')
      expect(await ourselves(changed)).to.equal('refused')
    })
    it("another quoting enclave's vendor, and a TDX module that Intel did not sign", async () => {
      const accepted = await acceptedQuote()
      const vendor = { version: 4, body: tdReport(TD), qeVendor: new Uint8Array(16) } as const
      const module = { version: 4, body: flip(tdReport(TD), 64) } as const
      for (const parameters of [vendor, module]) {
        const changed = { ...accepted, quote: await assembleQuote(accepted.platform, parameters) }
        expect(independently(changed, readBase64(accepted.root.root.certificate))).to.equal('UpToDate')
        expect(await ourselves(changed)).to.equal('refused')
      }
    })
  })
})
