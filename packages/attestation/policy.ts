import { z } from 'zod'
import type { Hex } from './bytes.ts'
import { PolicyInvalidError } from './errors.ts'

/** SHA-256 of the DER form of the "Intel SGX Root CA" certificate, which ends every genuine chain. */
export const INTEL_ROOT_SHA256: Hex = '0x44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3'

/** Statuses that Intel gives to a TCB level. */
export const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const
export type TcbStatus = (typeof TCB_STATUSES)[number]

function hex(length: number) {
  const pattern = new RegExp(`^(0x)?[0-9a-fA-F]{${2 * length}}$`)
  return z
    .string()
    .regex(pattern, `must be ${length} bytes in hexadecimal`)
    .transform((text): Hex => `0x${text.replace(/^0x/, '').toLowerCase()}`)
}

const rootSchema = z.strictObject({
  name: z.string().min(1),
  sha256: hex(32),
  /** True for a simulator's root: every verdict under it says so. */
  simulated: z.boolean().default(false),
})

const tcbSchema = z.strictObject({
  /** Statuses accepted without a time limit. */
  accepted: z.array(z.enum(TCB_STATUSES).exclude(['Revoked'])).default(['UpToDate']),
  /** Further statuses accepted for this many days after the level that superseded the platform's was published. */
  grace: z
    .array(z.strictObject({ status: z.enum(TCB_STATUSES).exclude(['Revoked']), days: z.number().positive() }))
    .default([]),
  /** Advisories that may apply to the platform. */
  advisories: z.union([z.literal('any'), z.array(z.string())]).default([]),
  /** Collateral of an older TCB recovery event than this is refused. */
  minEvaluationDataNumber: z.number().int().nonnegative().default(0),
})

const measurementSchema = z.discriminatedUnion('tee', [
  z.strictObject({
    tee: z.literal('tdx'),
    name: z.string().optional(),
    mrTd: hex(48),
    rtmr0: hex(48).optional(),
    rtmr1: hex(48).optional(),
    rtmr2: hex(48).optional(),
    rtmr3: hex(48).optional(),
    mrConfigId: hex(48).optional(),
    mrOwner: hex(48).optional(),
    mrOwnerConfig: hex(48).optional(),
  }),
  z
    .strictObject({
      tee: z.literal('sgx'),
      name: z.string().optional(),
      mrEnclave: hex(32).optional(),
      mrSigner: hex(32).optional(),
      isvProdId: z.number().int().nonnegative().optional(),
      minIsvSvn: z.number().int().nonnegative().optional(),
    })
    .refine(
      (entry) => entry.mrEnclave !== undefined || (entry.mrSigner !== undefined && entry.isvProdId !== undefined),
      {
        message: 'an SGX entry names mrEnclave, or mrSigner with isvProdId',
      },
    ),
])

const policySchema = z.strictObject({
  version: z.literal(1),
  roots: z.array(rootSchema).min(1),
  tcb: tcbSchema.prefault({}),
  /** A quote must equal every named value of one entry. `any` is for looking at a quote, never for releasing a secret. */
  measurements: z.union([z.literal('any'), z.array(measurementSchema)]),
  /** dstack guests: compose hashes accepted; asks for the event log. */
  composeHashes: z.array(hex(32)).optional(),
  /** PPIDs or platform instance ids accepted. */
  platformIds: z.array(hex(16)).optional(),
  /** TCB info and QE identity issued longer ago than this many days are refused, even if still in their window. */
  collateralMaxAgeDays: z.number().positive().optional(),
})

/** A trust policy: whom and what to believe, as data. */
export type Policy = z.output<typeof policySchema>
/** A trust policy as written: defaults may be left out. */
export type PolicyInput = z.input<typeof policySchema>
export type Measurement = z.output<typeof measurementSchema>

/**
 * Reads a trust policy, for example from a JSON file. Reading one twice changes nothing.
 *
 * @throws PolicyInvalidError naming every field that is wrong; unknown fields are refused.
 */
export function parsePolicy(value: unknown): Policy {
  const parsed = policySchema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'policy'}: ${issue.message}`)
  throw new PolicyInvalidError({ problems })
}

/** True when the policy trusts a simulator: services refuse to start with such a policy on a chain that is not local. */
export function trustsSimulator(policy: Policy): boolean {
  return policy.roots.some((root) => root.simulated)
}
