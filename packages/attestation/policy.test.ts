import { expect } from 'chai'
import { PolicyInvalidError } from './errors.ts'
import { INTEL_POLICY, MR_TD } from './fixtures.ts'
import { parsePolicy, trustsSimulator } from './policy.ts'

const ROOT = { name: 'a root', sha256: 'AA'.repeat(32) }

describe('parsePolicy', () => {
  it('fills the strict defaults in, and is stable', () => {
    const policy = parsePolicy({ version: 1, roots: [ROOT], measurements: [{ tee: 'tdx', mrTd: MR_TD }] })
    expect(policy.tcb).to.deep.equal({ accepted: ['UpToDate'], grace: [], advisories: [], minEvaluationDataNumber: 0 })
    expect(policy.roots[0]).to.deep.equal({ name: 'a root', sha256: `0x${'aa'.repeat(32)}`, simulated: false })
    expect(parsePolicy(JSON.parse(JSON.stringify(policy)))).to.deep.equal(policy)
  })
  const wrong: [string, object, string][] = [
    ['no root', { roots: [] }, 'roots'],
    ['a short fingerprint', { roots: [{ ...ROOT, sha256: 'aa' }] }, 'roots.0.sha256'],
    ['a misspelt field', { rootz: [] }, 'policy'],
    ['another version', { version: 2 }, 'version'],
    ['measurements left out', { measurements: undefined }, 'measurements'],
    ['a TDX entry without mrTd', { measurements: [{ tee: 'tdx', rtmr0: MR_TD }] }, 'measurements'],
    ['an SGX entry that names nothing', { measurements: [{ tee: 'sgx', minIsvSvn: 1 }] }, 'measurements'],
    [
      'an SGX entry with a signer but no product',
      { measurements: [{ tee: 'sgx', mrSigner: 'aa'.repeat(32) }] },
      'measurements',
    ],
    ['the status Revoked as acceptable', { tcb: { accepted: ['Revoked'] } }, 'tcb.accepted.0'],
    ['a grace period of no days', { tcb: { grace: [{ status: 'OutOfDate', days: 0 }] } }, 'tcb.grace.0.days'],
  ]
  for (const [what, change, field] of wrong) {
    it(`refuses ${what}, naming the field`, () => {
      let found: unknown
      try {
        parsePolicy({ ...INTEL_POLICY, ...change })
      } catch (error) {
        found = error
      }
      if (!(found instanceof PolicyInvalidError)) throw new Error('the policy was accepted')
      expect(found.metaMessages.join('\n')).to.include(field)
      expect(found.message).to.match(/^Docs: docs\/attestation\.md#policy$/m)
    })
  }
  it('tells whether a simulator is trusted', () => {
    expect(trustsSimulator(parsePolicy(INTEL_POLICY))).to.equal(false)
    const roots = [...INTEL_POLICY.roots, { ...ROOT, simulated: true }]
    expect(trustsSimulator(parsePolicy({ ...INTEL_POLICY, roots }))).to.equal(true)
  })
})
