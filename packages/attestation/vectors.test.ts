import { expect } from 'chai'
import { fromHex } from './bytes.ts'
import { launchIdentity, replayDigests, replayRtmr3, runtimeEvents } from './events.ts'
import {
  expectRefusal,
  flip,
  INTEL_POLICY,
  readDstackVector,
  readVector,
  simulatedStack,
  vectorsMissing,
} from './fixtures.ts'
import { measurementsOf } from './measurements.ts'
import { parseQuote } from './parse.ts'
import type { PolicyInput } from './policy.ts'
import { verifyQuote } from './verify.ts'

const SGX_POLICY: PolicyInput = {
  ...INTEL_POLICY,
  tcb: { accepted: ['ConfigurationAndSWHardeningNeeded'], advisories: ['INTEL-SA-00289', 'INTEL-SA-00615'] },
}

describe('quotes of real hardware', () => {
  before(function () {
    if (vectorsMissing === undefined) return
    console.log(`      skipped: ${vectorsMissing}`)
    this.skip()
  })

  describe('given the SGX version 3 quote', () => {
    it('finds the TCB status and advisories that Intel announces', async () => {
      const verdict = await verifyQuote({ ...readVector('sgx_quote'), policy: SGX_POLICY })
      expect(verdict.simulated).to.equal(false)
      expect(verdict.version).to.equal(3)
      expect(verdict.measurements.tee).to.equal('sgx')
      expect(verdict.tcb.status).to.equal('ConfigurationAndSWHardeningNeeded')
      expect(verdict.tcb.advisories).to.deep.equal(['INTEL-SA-00289', 'INTEL-SA-00615'])
    })
    it('is refused by a policy that wants an up-to-date platform', async () => {
      await expectRefusal(verifyQuote({ ...readVector('sgx_quote'), policy: INTEL_POLICY }), 'tcb-status')
    })
    it('is refused when one of its advisories is not tolerated', async () => {
      const tcb = { accepted: ['ConfigurationAndSWHardeningNeeded' as const], advisories: ['INTEL-SA-00289'] }
      const refusal = await expectRefusal(
        verifyQuote({ ...readVector('sgx_quote'), policy: { ...SGX_POLICY, tcb } }),
        'advisory',
      )
      expect(refusal.value).to.equal('INTEL-SA-00615')
    })
    it('is refused with the collateral of a TDX platform', async () => {
      const vector = readVector('sgx_quote')
      const { pck_crl, pck_crl_issuer_chain } = vector.collateral
      const collateral = { ...readVector('tdx_quote').collateral, pck_crl, pck_crl_issuer_chain }
      await expectRefusal(verifyQuote({ ...vector, collateral, policy: SGX_POLICY }), 'platform-mismatch')
    })
  })

  describe('given the TDX version 4 quote', () => {
    it('is up to date', async () => {
      const verdict = await verifyQuote({ ...readVector('tdx_quote'), policy: INTEL_POLICY })
      expect(verdict).to.include({ simulated: false, root: 'Intel SGX Root CA', version: 4 })
      expect(verdict.tcb).to.deep.include({ status: 'UpToDate', advisories: [] })
    })
    it('is refused with the zero padding of the guest still on it', async () => {
      const { buffer, ...rest } = readVector('tdx_quote')
      await expectRefusal(verifyQuote({ ...rest, quote: buffer, policy: INTEL_POLICY }), 'quote-trailing-bytes')
    })
    it('is refused before the collateral was issued and after it expired', async () => {
      const vector = readVector('tdx_quote')
      for (const at of [
        new Date('2025-06-19T10:00:00Z'),
        new Date('2025-07-19T10:00:36Z'),
        new Date('2026-01-01T00:00:00Z'),
      ]) {
        await expectRefusal(verifyQuote({ ...vector, at, policy: INTEL_POLICY }), 'revocation-window')
      }
      const between = new Date('2025-06-19T10:10:00Z')
      await expectRefusal(verifyQuote({ ...vector, at: between, policy: INTEL_POLICY }), 'tcb-info-window')
    })
    it('is refused by a policy that pins only a simulator', async () => {
      const { policy } = await simulatedStack()
      await expectRefusal(verifyQuote({ ...readVector('tdx_quote'), policy }), 'root')
    })
    it('is refused with the revocation list of the other authority, though Intel signed it', async () => {
      const vector = readVector('tdx_quote')
      const other = readVector('sgx_quote').collateral
      const { pck_crl, pck_crl_issuer_chain } = other
      const mixed = { ...vector.collateral, pck_crl, pck_crl_issuer_chain }
      expect(pck_crl_issuer_chain).not.to.equal(vector.collateral.pck_crl_issuer_chain)
      await expectRefusal(verifyQuote({ ...vector, collateral: mixed, policy: INTEL_POLICY }), 'revocation-list')
    })
    it('is refused when its report data was changed', async () => {
      const vector = readVector('tdx_quote')
      const quote = flip(vector.quote, 48 + 520)
      await expectRefusal(verifyQuote({ ...vector, quote, policy: INTEL_POLICY }), 'quote-signature')
    })
  })

  describe('given the report of a dstack guest', () => {
    it('verifies, with its events replayed to RTMR3 and its identity read', async () => {
      const vector = readDstackVector()
      const events = runtimeEvents(vector.log)
      const composeHash = '0x3763bc34552cf3a27ff71ad5f7a90471562a1a2df552dfc1998cba2d60da27e7'
      const policy = { ...INTEL_POLICY, composeHashes: [composeHash] }
      const verdict = await verifyQuote({ ...vector, events, policy, reportData: `0x${vector.reportData}` })
      expect(verdict.tcb.status).to.equal('UpToDate')
      expect(verdict.identity).to.deep.include({ composeHash, appId: composeHash.slice(0, 42) })
      const strict = { ...INTEL_POLICY, composeHashes: [`0x${'00'.repeat(32)}`] }
      await expectRefusal(verifyQuote({ ...vector, reportData: undefined, events, policy: strict }), 'compose-hash')
    })
    it('replays every register from the log', async () => {
      const { quote, log } = readDstackVector()
      const measurements = measurementsOf(parseQuote(quote))
      if (measurements.tee !== 'tdx') throw new Error('not a TDX quote')
      for (const register of [0, 1, 2, 3] as const) {
        const digests = log.filter((entry) => entry.register === register).map((entry) => entry.digest)
        expect(await replayDigests(digests), `RTMR${register}`).to.equal(measurements[`rtmr${register}`])
      }
      expect(await replayRtmr3(runtimeEvents(log))).to.equal(measurements.rtmr3)
    })
    it('is refused when one payload of the log was changed, though its digest was kept', async () => {
      const vector = readDstackVector()
      const events = runtimeEvents(vector.log).map((entry) =>
        entry.event === 'compose-hash' ? { ...entry, payload: `0x${'11'.repeat(32)}` as const } : entry,
      )
      expect(launchIdentity(events).composeHash).to.equal(`0x${'11'.repeat(32)}`)
      await expectRefusal(verifyQuote({ ...vector, reportData: undefined, events, policy: INTEL_POLICY }), 'event-log')
    })
    it('carries the report data that was asked for', () => {
      const { quote, reportData } = readDstackVector()
      expect(parseQuote(quote).body.report.reportData).to.deep.equal(fromHex(reportData))
    })
  })
})
