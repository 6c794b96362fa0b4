import { expect } from 'chai'
import { createCertificate, createKeyPair, readBase64 } from './authority.ts'
import { parseCertificate } from './certificate.ts'
import type { Collateral } from './collateral.ts'
import type { Rule } from './errors.ts'
import { acceptedQuote, expectRefusal, flipDigit, NOW, TD } from './fixtures.ts'
import { simulateQuote } from './simulateQuote.ts'
import { createCollateral, createPlatform, createPolicy, createRoot, type Platform, signText } from './simulator.ts'
import { verifyQuote } from './verify.ts'

const DAY = 86_400_000

function later(days: number): Date {
  return new Date(NOW.getTime() + days * DAY)
}

function pckSerial(platform: Platform): string {
  const [first = ''] = platform.pckChain.split('-----END')
  const base64 = first.replace('-----BEGIN CERTIFICATE-----', '').replaceAll('\n', '')
  return parseCertificate(readBase64(base64)).serial
}

describe('collateral of a quote', () => {
  describe('given collateral that is not authentic', () => {
    const cases: [string, Rule, (collateral: Collateral) => Partial<Collateral>][] = [
      ['a flipped signature byte in the PCK list', 'revocation-list', (c) => ({ pck_crl: flipDigit(c.pck_crl) })],
      ['a flipped byte in the root list', 'revocation-list', (c) => ({ root_ca_crl: flipDigit(c.root_ca_crl, 400) })],
      [
        'a flipped signature byte in the root list',
        'revocation-list',
        (c) => ({ root_ca_crl: flipDigit(c.root_ca_crl) }),
      ],
      ['the root list in place of the PCK list', 'revocation-list', (c) => ({ pck_crl: c.root_ca_crl })],
      ['the PCK list in place of the root list', 'revocation-list', (c) => ({ root_ca_crl: c.pck_crl })],
      ['an empty PCK list', 'revocation-list', () => ({ pck_crl: '' })],
      ['an empty root list', 'revocation-list', () => ({ root_ca_crl: '' })],
      ['bytes after the PCK list', 'revocation-list', (c) => ({ pck_crl: `${c.pck_crl}00` })],
      ['a garbage PCK list issuer chain', 'certificate', () => ({ pck_crl_issuer_chain: 'garbage' })],
      ['an empty PCK list issuer chain', 'certificate', () => ({ pck_crl_issuer_chain: '' })],
      ['text after an issuer chain', 'certificate', (c) => ({ tcb_info_issuer_chain: `${c.tcb_info_issuer_chain}x` })],
      [
        'the TCB signer as issuer of the PCK list',
        'certificate-chain',
        (c) => ({ pck_crl_issuer_chain: c.tcb_info_issuer_chain }),
      ],
      [
        'the PCK authority as TCB signer',
        'certificate-chain',
        (c) => ({ tcb_info_issuer_chain: c.pck_crl_issuer_chain }),
      ],
      [
        'edited TCB info',
        'tcb-info-signature',
        (c) => ({ tcb_info: c.tcb_info.replace('UpToDate', 'SWHardeningNeeded') }),
      ],
      ['TCB info with a space added', 'tcb-info-signature', (c) => ({ tcb_info: `${c.tcb_info} ` })],
      [
        'a changed TCB info signature',
        'tcb-info-signature',
        (c) => ({ tcb_info_signature: flipDigit(c.tcb_info_signature) }),
      ],
      [
        'a short TCB info signature',
        'tcb-info-signature',
        (c) => ({ tcb_info_signature: c.tcb_info_signature.slice(2) }),
      ],
      [
        'edited QE identity',
        'qe-identity-signature',
        (c) => ({ qe_identity: c.qe_identity.replace('"isvprodid":2', '"isvprodid":1') }),
      ],
      [
        'an empty QE identity with a zero signature',
        'qe-identity-signature',
        () => ({ qe_identity: '{}', qe_identity_signature: '00'.repeat(64) }),
      ],
      [
        'TCB info in place of the QE identity',
        'collateral-format',
        (c) => ({ qe_identity: c.tcb_info, qe_identity_signature: c.tcb_info_signature }),
      ],
    ]
    for (const [what, rule, change] of cases) {
      it(`refuses ${what}`, async () => {
        const accepted = await acceptedQuote()
        await expectRefusal(
          verifyQuote({ ...accepted, collateral: { ...accepted.collateral, ...change(accepted.collateral) } }),
          rule,
        )
      })
    }
    it('refuses a missing field by its name', async () => {
      const accepted = await acceptedQuote()
      const { pck_crl: _list, ...rest } = accepted.collateral
      const refusal = await expectRefusal(
        verifyQuote({ ...accepted, collateral: JSON.parse(JSON.stringify(rest)) }),
        'collateral-format',
      )
      expect(refusal.value).to.equal('pck_crl')
    })
    it('refuses a signed empty QE identity', async () => {
      const accepted = await acceptedQuote()
      const collateral = {
        ...accepted.collateral,
        qe_identity: '{}',
        qe_identity_signature: await signText(accepted.root.tcbSigner.key, '{}'),
      }
      await expectRefusal(verifyQuote({ ...accepted, collateral }), 'collateral-format')
    })
    it("refuses the PCK list of another authority under the same root, which says nothing about this platform's", async () => {
      const accepted = await acceptedQuote()
      const subject = 'SIMULATED Sealdeal SGX PCK Platform CA'
      const other = await createCertificate({
        subject,
        publicKey: await createKeyPair(),
        issuer: { subject: 'SIMULATED Sealdeal SGX Root CA', key: accepted.root.root.key },
        notBefore: later(-1),
        notAfter: later(300),
        authority: { pathLength: 0 },
      })
      const foreign = await createCollateral({ ...accepted.root, pckAuthority: other }, { at: NOW })
      const { pck_crl, pck_crl_issuer_chain } = foreign
      await expectRefusal(
        verifyQuote({ ...accepted, collateral: { ...accepted.collateral, pck_crl, pck_crl_issuer_chain } }),
        'revocation-list',
      )
      await expectRefusal(
        verifyQuote({ ...accepted, collateral: { ...accepted.collateral, pck_crl } }),
        'revocation-list',
      )
    })
  })

  describe('given revocation', () => {
    it("refuses a platform on its authority's list", async () => {
      const accepted = await acceptedQuote()
      const revokedPlatforms = [pckSerial(accepted.platform)]
      const collateral = await createCollateral(accepted.root, { at: NOW, revokedPlatforms })
      const refusal = await expectRefusal(verifyQuote({ ...accepted, collateral }), 'revoked')
      expect(refusal.value).to.equal(revokedPlatforms[0])
    })
    it('accepts a platform when only others are on the list', async () => {
      const accepted = await acceptedQuote()
      const collateral = await createCollateral(accepted.root, { at: NOW, revokedPlatforms: ['0102', 'ff'.repeat(19)] })
      expect((await verifyQuote({ ...accepted, collateral })).simulated).to.equal(true)
    })
    it("refuses a PCK authority or TCB signer on the root's list", async () => {
      const accepted = await acceptedQuote()
      for (const signer of [accepted.root.pckAuthority, accepted.root.tcbSigner]) {
        const { serial } = parseCertificate(readBase64(signer.certificate))
        const collateral = await createCollateral(accepted.root, { at: NOW, revokedAuthorities: [serial] })
        await expectRefusal(verifyQuote({ ...accepted, collateral }), 'revoked')
      }
    })
  })

  describe('given another time', () => {
    it('refuses collateral from the future and stale collateral', async () => {
      const accepted = await acceptedQuote()
      await expectRefusal(verifyQuote({ ...accepted, at: later(-0.5) }), 'revocation-window')
      await expectRefusal(verifyQuote({ ...accepted, at: later(31) }), 'revocation-window')
      expect((await verifyQuote({ ...accepted, at: later(29.9) })).simulated).to.equal(true)
    })
    it('refuses stale TCB info and QE identity beside fresh revocation lists, each by its own rule', async () => {
      const accepted = await acceptedQuote()
      const old = await createCollateral(accepted.root, { at: NOW, days: 5 })
      const { tcb_info, tcb_info_signature, qe_identity, qe_identity_signature } = old
      const staleTcb = { ...accepted.collateral, tcb_info, tcb_info_signature }
      await expectRefusal(verifyQuote({ ...accepted, collateral: staleTcb, at: later(6) }), 'tcb-info-window')
      const staleQe = { ...accepted.collateral, qe_identity, qe_identity_signature }
      await expectRefusal(verifyQuote({ ...accepted, collateral: staleQe, at: later(6) }), 'qe-identity-window')
    })
    it("refuses collateral older than the policy's limit, and says until when the verdict holds", async () => {
      const accepted = await acceptedQuote()
      const policy = { ...accepted.policy, collateralMaxAgeDays: 3 }
      const verdict = await verifyQuote({ ...accepted, policy, at: later(2) })
      expect(verdict.validUntil.getTime()).to.be.closeTo(later(3).getTime(), 600_000)
      await expectRefusal(verifyQuote({ ...accepted, policy, at: later(4) }), 'collateral-age')
    })
    it('refuses expired certificates', async () => {
      const root = await createRoot({ at: NOW, days: 10 })
      const platform = await createPlatform(root, { at: NOW, days: 300 })
      const quote = await simulateQuote(platform, TD)
      const policy = await createPolicy(root, 'any')
      const { collateral } = platform
      expect((await verifyQuote({ quote, collateral, policy, at: later(9) })).validUntil).to.deep.equal(later(10))
      await expectRefusal(verifyQuote({ quote, collateral, policy, at: later(11) }), 'certificate-window')
    })
  })
})
