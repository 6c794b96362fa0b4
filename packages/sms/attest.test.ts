import { createPolicy, createRoot, INTEL_ROOT_SHA256, parsePolicy } from '@sealdeal/attestation'
import { expect } from 'chai'
import { expectPolicyFits } from './attest.ts'

const measurements = [{ tee: 'tdx' as const, mrTd: `0x${'11'.repeat(48)}` as const }]

describe('expectPolicyFits', () => {
  it("refuses a simulator's root on a chain that is not local", async () => {
    const policy = await createPolicy(await createRoot({ at: new Date() }), measurements)
    for (const chainId of [1n, 42_161n, 421_614n]) {
      expect(() => expectPolicyFits({ policy, chainId, localChain: false })).to.throw('is not a local one')
    }
    for (const chainId of [1337n, 31_337n]) expectPolicyFits({ policy, chainId, localChain: false })
    expectPolicyFits({ policy, chainId: 421_614n, localChain: true })
  })

  it("takes Intel's root on every chain", () => {
    const policy = parsePolicy({ version: 1, roots: [{ name: 'Intel', sha256: INTEL_ROOT_SHA256 }], measurements })
    expectPolicyFits({ policy, chainId: 42_161n, localChain: false })
  })

  it('refuses a policy that names no measurement', () => {
    const roots = [{ name: 'Intel', sha256: INTEL_ROOT_SHA256 }]
    for (const open of ['any' as const, []]) {
      const policy = parsePolicy({ version: 1, roots, measurements: open })
      expect(() => expectPolicyFits({ policy, chainId: 1n, localChain: false })).to.throw('names no measurement')
    }
  })
})
