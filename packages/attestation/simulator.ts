import { z } from 'zod'
import {
  createCertificate,
  createKeyPair,
  createRevocationList,
  type KeyPair,
  readBase64,
  type Signer,
  sign,
  toPem,
} from './authority.ts'
import { type Hex, toHex, utf8 } from './bytes.ts'
import { parseCertificate } from './certificate.ts'
import { rootFingerprint, SIMULATED_NAME } from './chain.ts'
import { type Collateral, collateralSchema } from './collateral.ts'
import { AttestationError } from './errors.ts'
import { SGX_EXTENSIONS, writePck } from './pck.ts'
import { type PolicyInput, parsePolicy, type TcbStatus } from './policy.ts'

const DAY = 86_400_000
const CLOCK_SKEW = 300_000
const FMSPC = Uint8Array.of(0x51, 0x4d, 0x55, 0x4c, 0x41, 0x54)
const COMPONENT_SVNS = [3, 3, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0]
const PCE_SVN = 13

/** `teeTcbSvn` of every simulated TD: module 1.5, security version 6. */
export const SIMULATED_TEE_TCB_SVN = Uint8Array.of(6, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
/** Measurement of the signer, product and security version of the simulated quoting enclaves. */
export const SIMULATED_QE = { mrSigner: utf8('SIMULATED quoting enclave signer'), isvSvn: 8 } as const

const keySchema = z.strictObject({ secret: z.base64(), publicKey: z.base64() })
const signerSchema = z.strictObject({ key: keySchema, certificate: z.base64() })

const rootSchema = z.strictObject({
  kind: z.literal('simulator-root'),
  simulated: z.literal(true),
  name: z.string(),
  root: signerSchema,
  pckAuthority: signerSchema,
  tcbSigner: signerSchema,
})

/** The simulator's authority with all of its secrets: kept by whoever makes the stack, in a file of mode 0600. */
export type SimulatorRoot = z.output<typeof rootSchema>

const platformSchema = z.strictObject({
  kind: z.literal('simulator-platform'),
  simulated: z.literal(true),
  name: z.string(),
  tee: z.enum(['sgx', 'tdx']),
  /** Certificate chain of the PCK key, leaf first, PEM. */
  pckChain: z.string(),
  pckKey: keySchema,
  attestationKey: keySchema,
  collateral: collateralSchema,
})

/** A simulated machine: the key that signs its quotes, and the collateral to verify them with. Holds secrets. */
export type Platform = z.output<typeof platformSchema>

/** Reads a root from JSON. */
export function parseRoot(value: unknown): SimulatorRoot {
  return parse(rootSchema, value, 'root')
}

/** Reads a platform from JSON. */
export function parsePlatform(value: unknown): Platform {
  return parse(platformSchema, value, 'platform')
}

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  // Names of fields only: the values are keys.
  const fields = parsed.error.issues.map((issue) => issue.path.join('.'))
  throw new AttestationError(`This is not a simulator ${what}.`, {
    metaMessages: [`Wrong fields: ${fields.join(', ')}`],
  })
}

function subjects(name: string) {
  const prefix = `${SIMULATED_NAME} ${name}`
  return {
    root: `${prefix} SGX Root CA`,
    pckAuthority: `${prefix} SGX PCK Platform CA`,
    tcbSigner: `${prefix} SGX TCB Signing`,
    pck: `${prefix} SGX PCK Certificate`,
  }
}

/**
 * Makes the authority of a simulator: root, PCK authority and TCB signer. Every certificate under it is named SIMULATED.
 *
 * @param at - Now. The certificates are valid from a day before, to forgive clocks that differ.
 * @param days - How long they are valid.
 */
export async function createRoot({
  at,
  name = 'Sealdeal',
  days = 365,
}: {
  at: Date
  name?: string
  days?: number
}): Promise<SimulatorRoot> {
  const subject = subjects(name)
  const window = { notBefore: new Date(at.getTime() - DAY), notAfter: new Date(at.getTime() + days * DAY) }
  const rootKey = await createKeyPair()
  const issuer = { subject: subject.root, key: rootKey }
  const root = await createCertificate({
    subject: subject.root,
    publicKey: rootKey,
    issuer,
    ...window,
    authority: { pathLength: 1 },
  })
  const pckAuthority = await createCertificate({
    subject: subject.pckAuthority,
    publicKey: await createKeyPair(),
    issuer,
    ...window,
    authority: { pathLength: 0 },
  })
  const tcbSigner = await createCertificate({
    subject: subject.tcbSigner,
    publicKey: await createKeyPair(),
    issuer,
    ...window,
  })
  return { kind: 'simulator-root', simulated: true, name, root, pckAuthority, tcbSigner }
}

export type CollateralParameters = {
  /** Date of issue. */
  at: Date
  /** Days until the next update. */
  days?: number
  tee?: 'sgx' | 'tdx'
  /** Status and advisories that the only TCB level announces; the simulated platform always reaches it. */
  status?: TcbStatus
  advisories?: string[]
  /** Serial numbers (hexadecimal) to revoke: authorities by the root's list, platforms by the PCK authority's. */
  revokedAuthorities?: string[]
  revokedPlatforms?: string[]
}

/** Makes signed collateral: what Intel publishes about the platforms, from the simulator's own authority. */
export async function createCollateral(root: SimulatorRoot, parameters: CollateralParameters): Promise<Collateral> {
  const { at, days = 30, revokedAuthorities = [], revokedPlatforms = [] } = parameters
  const subject = subjects(root.name)
  // A few minutes early, to forgive a verifier whose clock is behind.
  const thisUpdate = new Date(Math.floor((at.getTime() - CLOCK_SKEW) / 1000) * 1000)
  const nextUpdate = new Date(thisUpdate.getTime() + days * DAY)
  const dates = { issueDate: isoSeconds(thisUpdate), nextUpdate: isoSeconds(nextUpdate), tcbEvaluationDataNumber: 18 }
  const tcbInfo = JSON.stringify(tcbInfoDocument({ ...parameters, dates }))
  const qeIdentity = JSON.stringify(qeIdentityDocument({ tee: parameters.tee ?? 'tdx', dates }))
  const signerChain = toPem([root.tcbSigner.certificate, root.root.certificate])
  const list = (signer: Signer, name: string, serials: string[]) =>
    createRevocationList({ issuer: { subject: name, key: signer.key }, serials, thisUpdate, nextUpdate })
  return {
    pck_crl_issuer_chain: toPem([root.pckAuthority.certificate, root.root.certificate]),
    root_ca_crl: await list(root.root, subject.root, revokedAuthorities),
    pck_crl: await list(root.pckAuthority, subject.pckAuthority, revokedPlatforms),
    tcb_info_issuer_chain: signerChain,
    tcb_info: tcbInfo,
    tcb_info_signature: await signText(root.tcbSigner.key, tcbInfo),
    qe_identity_issuer_chain: signerChain,
    qe_identity: qeIdentity,
    qe_identity_signature: await signText(root.tcbSigner.key, qeIdentity),
  }
}

/** Signs a document of the collateral, in hexadecimal. */
export async function signText(key: KeyPair, text: string): Promise<string> {
  return toHex(await sign({ key, message: utf8(text) })).slice(2)
}

function isoSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}

function digits(bytes: Uint8Array): string {
  return toHex(bytes).slice(2).toUpperCase()
}

type Dates = { issueDate: string; nextUpdate: string; tcbEvaluationDataNumber: number }

function tcbInfoDocument({
  dates,
  tee = 'tdx',
  status = 'UpToDate',
  advisories = [],
}: CollateralParameters & { dates: Dates }) {
  const rated = {
    tcbDate: dates.issueDate,
    tcbStatus: status,
    ...(advisories.length === 0 ? {} : { advisoryIDs: advisories }),
  }
  const components = (svns: Iterable<number>) => [...svns].map((svn) => ({ svn }))
  const anyModule = { mrsigner: '00'.repeat(48), attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8) }
  const sgx = { sgxtcbcomponents: components(COMPONENT_SVNS), pcesvn: PCE_SVN }
  const tdx = { ...sgx, tdxtcbcomponents: components(SIMULATED_TEE_TCB_SVN) }
  return {
    id: tee === 'sgx' ? 'SGX' : 'TDX',
    version: 3,
    issueDate: dates.issueDate,
    nextUpdate: dates.nextUpdate,
    fmspc: digits(FMSPC),
    pceId: '0000',
    tcbType: 0,
    tcbEvaluationDataNumber: dates.tcbEvaluationDataNumber,
    ...(tee === 'sgx' ? {} : { tdxModule: anyModule, tdxModuleIdentities: [tdxModuleDocument(anyModule, dates)] }),
    tcbLevels: [{ tcb: tee === 'sgx' ? sgx : tdx, ...rated }],
  }
}

function tdxModuleDocument(module: Record<string, string>, dates: Dates) {
  const [svn] = SIMULATED_TEE_TCB_SVN
  return {
    id: 'TDX_01',
    ...module,
    tcbLevels: [{ tcb: { isvsvn: svn }, tcbDate: dates.issueDate, tcbStatus: 'UpToDate' }],
  }
}

function qeIdentityDocument({ tee, dates }: { tee: 'sgx' | 'tdx'; dates: Dates }) {
  return {
    id: tee === 'sgx' ? 'QE' : 'TD_QE',
    version: 2,
    ...dates,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: digits(SIMULATED_QE.mrSigner),
    isvprodid: tee === 'sgx' ? 1 : 2,
    tcbLevels: [{ tcb: { isvsvn: SIMULATED_QE.isvSvn }, tcbDate: dates.issueDate, tcbStatus: 'UpToDate' }],
  }
}

/**
 * Makes a simulated machine under a root: its PCK key and certificate, its attestation key, and collateral.
 * The result can be written as JSON; it holds secrets.
 */
export async function createPlatform(
  root: SimulatorRoot,
  { at, tee = 'tdx', days = 30 }: { at: Date; tee?: 'sgx' | 'tdx'; days?: number },
): Promise<Platform> {
  const subject = subjects(root.name)
  const pckKey = await createKeyPair()
  const authority = parseCertificate(readBase64(root.pckAuthority.certificate))
  const pck = await createCertificate({
    subject: subject.pck,
    publicKey: pckKey,
    issuer: { subject: subject.pckAuthority, key: root.pckAuthority.key },
    notBefore: new Date(at.getTime() - DAY),
    notAfter: authority.notAfter,
    extensions: [{ id: SGX_EXTENSIONS, value: pckExtensions() }],
  })
  return {
    kind: 'simulator-platform',
    simulated: true,
    name: root.name,
    tee,
    pckChain: toPem([pck.certificate, root.pckAuthority.certificate, root.root.certificate]),
    pckKey,
    attestationKey: await createKeyPair(),
    collateral: await createCollateral(root, { at, tee, days }),
  }
}

function pckExtensions() {
  return writePck({
    ppid: crypto.getRandomValues(new Uint8Array(16)),
    componentSvns: COMPONENT_SVNS,
    pceSvn: PCE_SVN,
    cpuSvn: Uint8Array.from(COMPONENT_SVNS),
    pceId: new Uint8Array(2),
    fmspc: FMSPC,
    platformInstanceId: crypto.getRandomValues(new Uint8Array(16)),
  })
}

/** How a policy pins this simulator. */
export async function pinRoot(root: SimulatorRoot): Promise<{ name: string; sha256: Hex; simulated: true }> {
  return {
    name: `${SIMULATED_NAME} ${root.name}`,
    sha256: await rootFingerprint(readBase64(root.root.certificate)),
    simulated: true,
  }
}

/** Writes the policy of a local stack: this simulator's root alone, and the given measurements. */
export async function createPolicy(root: SimulatorRoot, measurements: PolicyInput['measurements']) {
  return parsePolicy({ version: 1, roots: [await pinRoot(root)], measurements })
}
