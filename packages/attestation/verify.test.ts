import { expect } from 'chai'
import { readBase64 } from './authority.ts'
import { toHex, utf8 } from './bytes.ts'
import type { Rule } from './errors.ts'
import { replayRtmr3 } from './events.ts'
import {
  acceptedQuote,
  expectRefusal,
  flip,
  INTEL_POLICY,
  MR_TD,
  NOW,
  REPORT_DATA,
  simulatedStack,
  TD,
} from './fixtures.ts'
import type { PolicyInput } from './policy.ts'
import { assembleQuote, enclaveReport, simulateQuote, tdReport } from './simulateQuote.ts'
import { createPolicy, type Platform, pinRoot } from './simulator.ts'
import { verifyQuote } from './verify.ts'

describe('verifyQuote', () => {
  describe('given a simulated quote and a policy that pins its root', () => {
    it('says what was measured, and that it is simulated', async () => {
      const { quote, collateral, policy, at, reportData } = await acceptedQuote()
      const verdict = await verifyQuote({ quote, collateral, policy, at, reportData })
      expect(verdict).to.include({ simulated: true, root: 'SIMULATED Sealdeal', version: 4, measuredAs: 'runtime' })
      expect(verdict.measurements).to.include({ tee: 'tdx', mrTd: MR_TD })
      expect(verdict.reportData).to.equal(REPORT_DATA)
      expect(verdict.tcb.status).to.equal('UpToDate')
      expect(verdict.validUntil > NOW && verdict.validUntil <= new Date('2026-12-20T12:00:00Z')).to.equal(true)
    })
    it('accepts the same after policy, platform and collateral went through JSON', async () => {
      const { platform, policy } = await acceptedQuote()
      const copy: { platform: Platform; policy: PolicyInput } = JSON.parse(JSON.stringify({ platform, policy }))
      const quote = await simulateQuote(copy.platform, TD)
      const verdict = await verifyQuote({ quote, collateral: copy.platform.collateral, policy: copy.policy, at: NOW })
      expect(verdict.simulated).to.equal(true)
    })
    it('accepts a TDX 1.5 report in a version 5 quote', async () => {
      const { platform, collateral, policy } = await simulatedStack()
      const body = Uint8Array.from([...tdReport(TD), ...tdReport(TD).subarray(0, 16), ...new Uint8Array(48)])
      const quote = await assembleQuote(platform, { version: 5, body, bodyType: 3 })
      expect((await verifyQuote({ quote, collateral, policy, at: NOW })).version).to.equal(5)
    })
    it('accepts an SGX enclave in version 3, 4 and 5', async () => {
      const { platform, collateral, root } = await simulatedStack({ tee: 'sgx' })
      const policy = await createPolicy(root, [{ tee: 'sgx', mrSigner: '22'.repeat(32), isvProdId: 7, minIsvSvn: 3 }])
      for (const version of [3, 4, 5] as const) {
        const quote = await assembleQuote(platform, { version, body: sgxBody({}) })
        const verdict = await verifyQuote({ quote, collateral, policy, at: NOW })
        expect(verdict.measurements).to.deep.include({ tee: 'sgx', isvProdId: 7, isvSvn: 3 })
      }
    })
  })

  describe('given another root', () => {
    it('refuses a simulated quote under the policy for hardware', async () => {
      const accepted = await acceptedQuote()
      await expectRefusal(verifyQuote({ ...accepted, policy: INTEL_POLICY }), 'root')
    })
    it("refuses another stack's simulator of the same name", async () => {
      const accepted = await acceptedQuote()
      const { policy } = await simulatedStack()
      await expectRefusal(verifyQuote({ ...accepted, policy }), 'root')
    })
    it('refuses a simulator root that the policy pins as hardware', async () => {
      const accepted = await acceptedQuote()
      const pinned = { ...(await pinRoot(accepted.root)), simulated: false }
      await expectRefusal(verifyQuote({ ...accepted, policy: { ...accepted.policy, roots: [pinned] } }), 'root')
    })
    it("refuses another root's collateral, whichever chain it replaces", async () => {
      const accepted = await acceptedQuote()
      const { collateral: foreign } = await simulatedStack()
      for (const field of ['pck_crl_issuer_chain', 'tcb_info_issuer_chain', 'qe_identity_issuer_chain'] as const) {
        const collateral = { ...accepted.collateral, [field]: foreign[field] }
        await expectRefusal(verifyQuote({ ...accepted, collateral }), 'certificate-chain')
      }
    })
  })

  describe('given attributes', () => {
    it('refuses a TD that can be debugged, migrated, or has other powers', async () => {
      const { platform, collateral, policy } = await simulatedStack()
      const cases: [number, number, Rule][] = [
        [120, 0x01, 'debug'],
        [123, 0x20, 'service-td'],
        [123, 0x10, 'td-attributes'],
        [123, 0x40, 'td-attributes'],
        [127, 0x80, 'td-attributes'],
      ]
      for (const [offset, mask, rule] of cases) {
        const quote = await assembleQuote(platform, { version: 4, body: flip(tdReport(TD), offset, mask) })
        await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), rule)
      }
    })
    it('refuses a TD with a service TD bound to it', async () => {
      const { platform, collateral, policy } = await simulatedStack()
      const body = Uint8Array.from([...tdReport(TD), ...tdReport(TD).subarray(0, 16), ...new Uint8Array(48).fill(1)])
      const quote = await assembleQuote(platform, { version: 5, body, bodyType: 3 })
      await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), 'service-td')
    })
    it('refuses an SGX enclave that can be debugged, is not initialized or may read provisioning keys', async () => {
      const { platform, collateral, root } = await simulatedStack({ tee: 'sgx' })
      const policy = await createPolicy(root, 'any')
      for (const [flags, rule] of [
        [0x07, 'debug'],
        [0x04, 'enclave-attributes'],
        [0x15, 'enclave-attributes'],
        [0x25, 'enclave-attributes'],
      ] as const) {
        const quote = await assembleQuote(platform, { version: 3, body: sgxBody({ flags }) })
        await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), rule)
      }
    })
  })

  describe('given measurements', () => {
    it('refuses what the policy does not list; an empty list allows nothing', async () => {
      const accepted = await acceptedQuote()
      const other = { tee: 'tdx' as const, mrTd: '00'.repeat(48) }
      for (const measurements of [[], [other], [{ tee: 'tdx' as const, mrTd: MR_TD, rtmr0: '11'.repeat(48) }]]) {
        const refusal = await expectRefusal(
          verifyQuote({ ...accepted, policy: { ...accepted.policy, measurements } }),
          'measurement',
        )
        expect(refusal.value).to.equal(MR_TD)
      }
    })
    it('names the entry that matched, among several and in any case of letters', async () => {
      const accepted = await acceptedQuote()
      const measurements = [
        { tee: 'tdx' as const, name: 'old', mrTd: '00'.repeat(48) },
        { tee: 'tdx' as const, name: 'new', mrTd: MR_TD.slice(2).toUpperCase(), rtmr3: '00'.repeat(48) },
      ]
      expect((await verifyQuote({ ...accepted, policy: { ...accepted.policy, measurements } })).measuredAs).to.equal(
        'new',
      )
    })
    it('refuses an SGX enclave of another product or an older version of the same signer', async () => {
      const { platform, collateral, root } = await simulatedStack({ tee: 'sgx' })
      const quote = await assembleQuote(platform, { version: 3, body: sgxBody({}) })
      for (const change of [
        { isvProdId: 8 },
        { minIsvSvn: 4 },
        { mrSigner: '23'.repeat(32) },
        { mrEnclave: '12'.repeat(32) },
      ]) {
        const policy = await createPolicy(root, [{ tee: 'sgx', mrSigner: '22'.repeat(32), isvProdId: 7, ...change }])
        await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), 'measurement')
      }
    })
  })

  describe('given report data and events', () => {
    it('refuses a quote that is bound to other data', async () => {
      const accepted = await acceptedQuote()
      await expectRefusal(verifyQuote({ ...accepted, reportData: `0x${'00'.repeat(64)}` }), 'report-data')
    })
    it('refuses changed report data and a changed signature', async () => {
      const accepted = await acceptedQuote()
      await expectRefusal(verifyQuote({ ...accepted, quote: flip(accepted.quote, 48 + 520) }), 'quote-signature')
      await expectRefusal(verifyQuote({ ...accepted, quote: flip(accepted.quote, 48 + 584 + 4) }), 'quote-signature')
    })
    it('accepts the events that replay to RTMR3 and refuses any other, fewer, more or in another order', async () => {
      const { platform, collateral, policy } = await simulatedStack()
      const app = { event: 'sealdeal-app', payload: `0x${'a1'.repeat(32)}` } as const
      const ready = { event: 'system-ready', payload: '0x' } as const
      const rtmr3 = await replayRtmr3([ready, app])
      const quote = await simulateQuote(platform, { ...TD, rtmr3 })
      const verdict = await verifyQuote({ quote, collateral, policy, at: NOW, events: [ready, app] })
      expect(verdict.measurements).to.include({ rtmr3 })
      const other = { ...app, payload: `0x${'a2'.repeat(32)}` as const }
      for (const events of [[], [app], [ready], [app, ready], [ready, other], [ready, app, app]]) {
        await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW, events }), 'event-log')
      }
    })
    it('asks for the event log when the policy names compose hashes, and holds mr_config_id to it', async () => {
      const { platform, collateral, policy: base } = await simulatedStack()
      const composeHash = `0x${'c0'.repeat(32)}` as const
      const policy = { ...base, composeHashes: [composeHash] }
      const events = [{ event: 'compose-hash', payload: composeHash }]
      const rtmr3 = await replayRtmr3(events)
      const bound = await simulateQuote(platform, {
        ...TD,
        rtmr3,
        mrConfigId: `0x01${composeHash.slice(2)}${'00'.repeat(15)}`,
      })
      const verdict = await verifyQuote({ quote: bound, collateral, policy, at: NOW, events })
      expect(verdict.identity).to.deep.equal({ composeHash })
      await expectRefusal(verifyQuote({ quote: bound, collateral, policy, at: NOW }), 'compose-hash')
      const unbound = await simulateQuote(platform, {
        ...TD,
        rtmr3,
        mrConfigId: `0x01${'dd'.repeat(32)}${'00'.repeat(15)}`,
      })
      await expectRefusal(verifyQuote({ quote: unbound, collateral, policy, at: NOW, events }), 'compose-hash')
    })
  })
})

function sgxBody({ flags = 0x05 }: { flags?: number }) {
  const attributes = new Uint8Array(16)
  attributes[0] = flags
  return enclaveReport({
    mrEnclave: new Uint8Array(32).fill(0x11),
    mrSigner: new Uint8Array(32).fill(0x22),
    isvProdId: 7,
    isvSvn: 3,
    attributes,
    reportData: utf8('report data'.padEnd(64)),
  })
}

describe('the name of a root', () => {
  it('is the SHA-256 of its certificate', async () => {
    const { root } = await simulatedStack()
    const expected = await crypto.subtle.digest('SHA-256', readBase64(root.root.certificate))
    expect((await pinRoot(root)).sha256).to.equal(toHex(new Uint8Array(expected)))
  })
})
