import { expect } from 'chai'
import { createCertificate, createKeyPair, toPem } from './authority.ts'
import type { Collateral } from './collateral.ts'
import { acceptedQuote, expectRefusal, flip, NOW, simulatedStack, TD } from './fixtures.ts'
import { assembleQuote, tdReport } from './simulateQuote.ts'
import { createCollateral, signText } from './simulator.ts'
import { verifyQuote } from './verify.ts'

const DAY = 86_400_000

function later(days: number): Date {
  return new Date(NOW.getTime() + days * DAY)
}

describe('the TCB of a quote', () => {
  describe('given another platform', () => {
    it('refuses SGX collateral for a TDX quote', async () => {
      const accepted = await acceptedQuote()
      const collateral = await createCollateral(accepted.root, { at: NOW, tee: 'sgx' })
      await expectRefusal(verifyQuote({ ...accepted, collateral }), 'platform-mismatch')
    })
    it('refuses TCB info of another family of processors or another PCE', async () => {
      const accepted = await acceptedQuote()
      const changes = [
        ['"fmspc":"514D', '"fmspc":"524D'],
        ['"pceId":"0000"', '"pceId":"0001"'],
      ] as const
      for (const [from, to] of changes) {
        const collateral = await resigned(accepted, (text) => text.replace(from, to))
        await expectRefusal(verifyQuote({ ...accepted, collateral }), 'platform-mismatch')
      }
    })
    it('refuses a platform that the policy does not list, and accepts one that it lists', async () => {
      const accepted = await acceptedQuote()
      const { platform } = await verifyQuote(accepted)
      const listed = { ...accepted.policy, platformIds: [platform.ppid] }
      expect((await verifyQuote({ ...accepted, policy: listed })).platform.ppid).to.equal(platform.ppid)
      const other = { ...accepted.policy, platformIds: ['00'.repeat(16)] }
      await expectRefusal(verifyQuote({ ...accepted, policy: other }), 'platform-id')
    })
  })

  describe('given a TCB that is not up to date', () => {
    it('refuses a status that the policy does not accept, and advisories that it does not tolerate', async () => {
      const accepted = await acceptedQuote()
      const collateral = await createCollateral(accepted.root, {
        at: NOW,
        status: 'OutOfDate',
        advisories: ['INTEL-SA-1'],
      })
      await expectRefusal(verifyQuote({ ...accepted, collateral }), 'tcb-status')
      const lenient = { ...accepted.policy, tcb: { accepted: ['OutOfDate' as const] } }
      await expectRefusal(verifyQuote({ ...accepted, collateral, policy: lenient }), 'advisory')
      const tolerant = { ...accepted.policy, tcb: { accepted: ['OutOfDate' as const], advisories: ['INTEL-SA-1'] } }
      expect((await verifyQuote({ ...accepted, collateral, policy: tolerant })).tcb.status).to.equal('OutOfDate')
    })
    it('refuses a revoked platform whatever the policy says', async () => {
      const accepted = await acceptedQuote()
      const collateral = await createCollateral(accepted.root, { at: NOW, status: 'Revoked' })
      const policy = {
        ...accepted.policy,
        tcb: { accepted: ['UpToDate' as const, 'OutOfDate' as const], advisories: 'any' as const },
      }
      await expectRefusal(verifyQuote({ ...accepted, collateral, policy }), 'tcb-status')
    })
    it('accepts an outdated platform within the grace period after the level that superseded it, and no longer', async () => {
      const accepted = await acceptedQuote()
      const collateral = await resigned(accepted, (text) => {
        const document = JSON.parse(text)
        const [level] = document.tcbLevels
        const newer = { ...level, tcb: { ...level.tcb, pcesvn: 14 }, tcbDate: '2026-11-01T00:00:00Z' }
        document.tcbLevels = [newer, { ...level, tcbStatus: 'OutOfDate', tcbDate: '2025-01-01T00:00:00Z' }]
        return JSON.stringify(document)
      })
      const withGrace = (days: number) => ({
        ...accepted.policy,
        tcb: { grace: [{ status: 'OutOfDate' as const, days }] },
      })
      expect((await verifyQuote({ ...accepted, collateral, policy: withGrace(30) })).tcb.status).to.equal('OutOfDate')
      await expectRefusal(verifyQuote({ ...accepted, collateral, policy: withGrace(10) }), 'tcb-status')
    })
    it('refuses a platform that reaches no level', async () => {
      const accepted = await acceptedQuote()
      for (const [from, to] of [
        ['"pcesvn":13', '"pcesvn":14'],
        ['"sgxtcbcomponents":[{"svn":3}', '"sgxtcbcomponents":[{"svn":9}'],
      ] as const) {
        const collateral = await resigned(accepted, (text) => text.replace(from, to))
        await expectRefusal(verifyQuote({ ...accepted, collateral }), 'tcb-level')
      }
    })
    it('refuses collateral of an older evaluation than the policy asks for', async () => {
      const accepted = await acceptedQuote()
      const policy = { ...accepted.policy, tcb: { minEvaluationDataNumber: 19 } }
      await expectRefusal(verifyQuote({ ...accepted, policy }), 'evaluation-number')
    })
  })

  describe('given a TDX module', () => {
    it('refuses a version that Intel does not know, another signer, other attributes and an old one', async () => {
      const { platform, collateral, policy } = await simulatedStack()
      for (const offset of [1, 64, 112]) {
        // 1: version, 64: MRSIGNERSEAM, 112: SEAM attributes.
        const body = flip(tdReport(TD), offset, 0x10)
        const quote = await assembleQuote(platform, { version: 4, body })
        await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), 'tdx-module')
      }
      const old = Uint8Array.from(tdReport(TD))
      old[0] = 5
      await expectRefusal(
        verifyQuote({ quote: await assembleQuote(platform, { version: 4, body: old }), collateral, policy, at: NOW }),
        'tdx-module',
      )
    })
    it('lowers the status when the module is outdated', async () => {
      const accepted = await acceptedQuote()
      const collateral = await resigned(accepted, (text) => {
        const document = JSON.parse(text)
        document.tdxModuleIdentities[0].tcbLevels[0].tcbStatus = 'OutOfDate'
        return JSON.stringify(document)
      })
      await expectRefusal(verifyQuote({ ...accepted, collateral }), 'tcb-status')
    })
    it('rates both security versions of a TDX 1.5 report', async () => {
      const { platform, collateral, policy } = await simulatedStack()
      const lower = Uint8Array.from(tdReport(TD).subarray(0, 16))
      lower[2] = 0
      const body = Uint8Array.from([...tdReport(TD), ...lower, ...new Uint8Array(48)])
      const quote = await assembleQuote(platform, { version: 5, body, bodyType: 3 })
      await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), 'tcb-level')
    })
  })

  describe('given a quoting enclave', () => {
    it('refuses another vendor', async () => {
      const { platform, collateral, policy } = await simulatedStack()
      const quote = await assembleQuote(platform, { version: 4, body: tdReport(TD), qeVendor: new Uint8Array(16) })
      await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), 'qe-vendor')
    })
    it("refuses one that is not Intel's: signer, product, version, attributes", async () => {
      const { platform, collateral, policy } = await simulatedStack()
      const debug = Uint8Array.of(0x17, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0)
      for (const qe of [{ mrSigner: new Uint8Array(32) }, { isvProdId: 1 }, { isvSvn: 7 }, { attributes: debug }]) {
        const quote = await assembleQuote(platform, { version: 4, body: tdReport(TD), qe })
        await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), 'qe-identity')
      }
    })
    it('refuses one that vouches for another attestation key', async () => {
      const { platform, collateral, policy } = await simulatedStack()
      const quote = await assembleQuote(platform, {
        version: 4,
        body: tdReport(TD),
        qe: { reportData: new Uint8Array(64).fill(7) },
      })
      await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), 'qe-report-data')
    })
    it("refuses a quote whose attestation key is the forger's own", async () => {
      const { platform, collateral, policy } = await simulatedStack()
      const forger = { ...platform, pckKey: await createKeyPair(), attestationKey: await createKeyPair() }
      const quote = await assembleQuote(forger, { version: 4, body: tdReport(TD) })
      await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), 'qe-report-signature')
    })
    it('refuses a certificate that a genuine PCK key issued', async () => {
      const { platform, collateral, policy, root } = await simulatedStack()
      const pckKey = await createKeyPair()
      const subject = 'SIMULATED Sealdeal SGX PCK Certificate'
      const forged = await createCertificate({
        subject,
        publicKey: pckKey,
        issuer: { subject, key: platform.pckKey },
        notBefore: later(-1),
        notAfter: later(30),
      })
      const [genuine = ''] = platform.pckChain.split('-----BEGIN').slice(1)
      const pckChain = `${toPem([forged.certificate])}-----BEGIN${genuine}${toPem([root.root.certificate])}`
      const quote = await assembleQuote({ ...platform, pckKey, pckChain }, { version: 4, body: tdReport(TD) })
      await expectRefusal(verifyQuote({ quote, collateral, policy, at: NOW }), 'certificate-chain')
    })
  })
})

/** Collateral with changed TCB info that is signed again: what the rules after the signature must catch. */
async function resigned(
  { root, collateral }: Awaited<ReturnType<typeof simulatedStack>>,
  change: (text: string) => string,
): Promise<Collateral> {
  const tcb_info = change(collateral.tcb_info)
  expect(tcb_info, 'the change must change something').not.to.equal(collateral.tcb_info)
  return { ...collateral, tcb_info, tcb_info_signature: await signText(root.tcbSigner.key, tcb_info) }
}
