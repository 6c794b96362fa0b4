import { z } from 'zod'
import { type Bytes, equal, equalUnderMask, fromHex, toHex } from './bytes.ts'
import { refuse } from './errors.ts'
import type { EnclaveReport, TdReport } from './parse.ts'
import type { Pck } from './pck.ts'
import { TCB_STATUSES, type TcbStatus } from './policy.ts'

function hexBytes(length: number) {
  return z
    .string()
    .regex(new RegExp(`^[0-9a-fA-F]{${2 * length}}$`))
    .transform((text): Bytes => fromHex(text) ?? new Uint8Array())
}

const dateSchema = z.iso.datetime().transform((text) => new Date(text))
const svnSchema = z.object({ svn: z.number().int().min(0).max(255) })
const rated = { tcbDate: dateSchema, tcbStatus: z.enum(TCB_STATUSES), advisoryIDs: z.array(z.string()).default([]) }
const isvLevels = z.array(z.object({ tcb: z.object({ isvsvn: z.number().int() }), ...rated })).min(1)
const moduleFields = { mrsigner: hexBytes(48), attributes: hexBytes(8), attributesMask: hexBytes(8) }

/** Intel's TCB info, version 3: levels per family of processors (FMSPC). Unknown fields are signed too and passed over. */
export const tcbInfoSchema = z.object({
  id: z.enum(['SGX', 'TDX']),
  version: z.literal(3),
  issueDate: dateSchema,
  nextUpdate: dateSchema,
  fmspc: hexBytes(6),
  pceId: hexBytes(2),
  tcbType: z.literal(0),
  tcbEvaluationDataNumber: z.number().int(),
  tdxModule: z.object(moduleFields).optional(),
  tdxModuleIdentities: z.array(z.object({ id: z.string(), ...moduleFields, tcbLevels: isvLevels })).default([]),
  tcbLevels: z
    .array(
      z.object({
        tcb: z.object({
          sgxtcbcomponents: z.array(svnSchema).length(16),
          pcesvn: z.number().int(),
          tdxtcbcomponents: z.array(svnSchema).length(16).optional(),
        }),
        ...rated,
      }),
    )
    .min(1),
})
export type TcbInfo = z.output<typeof tcbInfoSchema>

/** Intel's identity of the quoting enclave (SGX: `QE`, TDX: `TD_QE`), version 2. */
export const qeIdentitySchema = z.object({
  id: z.enum(['QE', 'TD_QE']),
  version: z.literal(2),
  issueDate: dateSchema,
  nextUpdate: dateSchema,
  tcbEvaluationDataNumber: z.number().int(),
  miscselect: hexBytes(4),
  miscselectMask: hexBytes(4),
  attributes: hexBytes(16),
  attributesMask: hexBytes(16),
  mrsigner: hexBytes(32),
  isvprodid: z.number().int(),
  tcbLevels: isvLevels,
})
export type QeIdentity = z.output<typeof qeIdentitySchema>

/** How current one part of the platform is. `supersededAt` is the date of the newest level, when the part's own is not the newest. */
export type Rating = { status: TcbStatus; advisories: string[]; tcbDate: Date; supersededAt?: Date }

type Level = { tcbDate: Date; tcbStatus: TcbStatus; advisoryIDs: string[] }

function rate(level: Level, newest: Level | undefined): Rating {
  const rating = { status: level.tcbStatus, advisories: level.advisoryIDs, tcbDate: level.tcbDate }
  return newest === undefined || newest === level ? rating : { ...rating, supersededAt: newest.tcbDate }
}

function reaches(svns: readonly number[], components: { svn: number }[], from = 0): boolean {
  return components.every(({ svn }, index) => index < from || (svns[index] ?? -1) >= svn)
}

/**
 * Finds the level of the platform: the first one that the processor's certificate (and, for TDX, the TD's `teeTcbSvn`) reaches.
 * Since TDX module 1.5 (second byte above zero) the first two bytes are judged by {@link rateTdxModule} instead.
 *
 * @throws QuoteRefusedError with rule `tcb-level` when the platform reaches no level.
 */
export function ratePlatform({ tcbInfo, pck, teeTcbSvn }: { tcbInfo: TcbInfo; pck: Pck; teeTcbSvn?: Bytes }): Rating {
  const level = tcbInfo.tcbLevels.find(({ tcb }) => {
    if (pck.pceSvn < tcb.pcesvn || !reaches(pck.componentSvns, tcb.sgxtcbcomponents)) return false
    if (teeTcbSvn === undefined) return true
    const from = (teeTcbSvn[1] ?? 0) > 0 ? 2 : 0
    return tcb.tdxtcbcomponents !== undefined && reaches([...teeTcbSvn], tcb.tdxtcbcomponents, from)
  })
  if (level === undefined) {
    const value = `${pck.componentSvns.join(',')} pce ${pck.pceSvn}${teeTcbSvn === undefined ? '' : ` tdx ${toHex(teeTcbSvn)}`}`
    refuse({ rule: 'tcb-level', value, reason: 'the platform reaches no TCB level that Intel knows' })
  }
  return rate(level, tcbInfo.tcbLevels[0])
}

/**
 * Checks the TDX module that measured the TD against Intel's identities and finds its level.
 *
 * @returns `undefined` for modules before 1.5, which are rated with the platform.
 * @throws QuoteRefusedError with rule `tdx-module`.
 */
export function rateTdxModule({
  tcbInfo,
  report,
  teeTcbSvn,
}: {
  tcbInfo: TcbInfo
  report: TdReport
  teeTcbSvn: Bytes
}): Rating | undefined {
  const [svn = 0, version = 0] = teeTcbSvn
  const id = `TDX_${version.toString(16).padStart(2, '0').toUpperCase()}`
  const identity = tcbInfo.tdxModuleIdentities.find((known) => known.id === id)
  const expected = version === 0 ? tcbInfo.tdxModule : identity
  if (expected === undefined)
    refuse({ rule: 'tdx-module', value: id, reason: 'Intel knows no TDX module of this version' })
  if (!equal(report.mrSignerSeam, expected.mrsigner)) {
    refuse({
      rule: 'tdx-module',
      value: toHex(report.mrSignerSeam),
      reason: `the TDX module ${id} is not signed by Intel`,
    })
  }
  if (!equalUnderMask(report.seamAttributes, expected.attributesMask, expected.attributes)) {
    refuse({
      rule: 'tdx-module',
      value: toHex(report.seamAttributes),
      reason: `the TDX module ${id} has unexpected attributes`,
    })
  }
  if (version === 0) return undefined
  const levels = identity?.tcbLevels ?? []
  const level = levels.find(({ tcb }) => svn >= tcb.isvsvn)
  if (level === undefined)
    refuse({ rule: 'tdx-module', value: `${id} svn ${svn}`, reason: 'the TDX module reaches no level' })
  return rate(level, levels[0])
}

/**
 * Checks the quoting enclave's report against Intel's identity of it and finds its level.
 *
 * @throws QuoteRefusedError with rule `qe-identity`.
 */
export function rateQuotingEnclave({ identity, report }: { identity: QeIdentity; report: EnclaveReport }): Rating {
  const differs = (field: string, value: unknown): never =>
    refuse({ rule: 'qe-identity', value: `${field} ${value}`, reason: "the quoting enclave is not Intel's" })
  if (!equal(report.mrSigner, identity.mrsigner)) differs('mrsigner', toHex(report.mrSigner))
  if (report.isvProdId !== identity.isvprodid) differs('isvprodid', report.isvProdId)
  if (!equalUnderMask(report.attributes, identity.attributesMask, identity.attributes)) {
    differs('attributes', toHex(report.attributes))
  }
  // The identity writes this number with its most significant byte first, the report with its least significant.
  if (!equalUnderMask(report.miscSelect.toReversed(), identity.miscselectMask, identity.miscselect)) {
    differs('miscselect', toHex(report.miscSelect))
  }
  const level = identity.tcbLevels.find(({ tcb }) => report.isvSvn >= tcb.isvsvn)
  if (level === undefined) return differs('isvsvn', report.isvSvn)
  return rate(level, identity.tcbLevels[0])
}

/** What each status says, as independent facts, so that parts can be joined without a table of pairs. */
const FACTS: Record<TcbStatus, { outdated?: true; configuration?: true; hardening?: true; revoked?: true }> = {
  UpToDate: {},
  SWHardeningNeeded: { hardening: true },
  ConfigurationNeeded: { configuration: true },
  ConfigurationAndSWHardeningNeeded: { configuration: true, hardening: true },
  OutOfDate: { outdated: true },
  OutOfDateConfigurationNeeded: { outdated: true, configuration: true },
  Revoked: { revoked: true },
}

function joinStatuses(left: TcbStatus, right: TcbStatus): TcbStatus {
  const facts = { ...FACTS[left], ...FACTS[right] }
  if (facts.revoked) return 'Revoked'
  if (facts.outdated) return facts.configuration ? 'OutOfDateConfigurationNeeded' : 'OutOfDate'
  if (facts.configuration) return facts.hardening ? 'ConfigurationAndSWHardeningNeeded' : 'ConfigurationNeeded'
  return facts.hardening ? 'SWHardeningNeeded' : 'UpToDate'
}

function earlier(left: Date | undefined, right: Date | undefined): Date | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return left < right ? left : right
}

/** Joins the ratings of platform, TDX module and quoting enclave: as good as the worst, with the advisories of all. */
export function joinRatings(first: Rating, ...others: (Rating | undefined)[]): Rating {
  let joined = first
  for (const other of others) {
    if (other === undefined) continue
    const supersededAt = earlier(joined.supersededAt, other.supersededAt)
    joined = {
      status: joinStatuses(joined.status, other.status),
      advisories: [...new Set([...joined.advisories, ...other.advisories])].sort(),
      tcbDate: earlier(joined.tcbDate, other.tcbDate) ?? joined.tcbDate,
      ...(supersededAt === undefined ? {} : { supersededAt }),
    }
  }
  return joined
}
