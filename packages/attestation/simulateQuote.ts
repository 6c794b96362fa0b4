import { publicPoint, sign } from './authority.ts'
import { type Bytes, concat, digest, fromHex, type Hex, utf8 } from './bytes.ts'
import { AttestationError } from './errors.ts'
import { INTEL_QE_VENDOR } from './parse.ts'
import { type Platform, SIMULATED_QE, SIMULATED_TEE_TCB_SVN } from './simulator.ts'

/** A register's value, in bytes or hexadecimal. */
export type Value = Hex | Uint8Array

export type SimulateQuoteParameters = {
  /** 48 bytes. */
  mrTd: Value
  rtmr0?: Value
  rtmr1?: Value
  rtmr2?: Value
  rtmr3?: Value
  /** 48 bytes each; zero when left out. */
  mrConfigId?: Value
  mrOwner?: Value
  mrOwnerConfig?: Value
  /** 64 bytes. */
  reportData: Value
}

function field(name: string, value: Value | undefined, length: number): Bytes {
  const bytes =
    value === undefined ? new Uint8Array(length) : typeof value === 'string' ? fromHex(value) : concat(value)
  if (bytes?.length !== length) throw new AttestationError(`A simulated quote needs ${length} bytes of "${name}".`, {})
  return bytes
}

/** Lays a TD report (1.0 form, 584 bytes) out in bytes. */
export function tdReport(parameters: SimulateQuoteParameters): Bytes {
  const { mrTd, mrConfigId, mrOwner, mrOwnerConfig, rtmr0, rtmr1, rtmr2, rtmr3, reportData } = parameters
  // TD attributes: SEPT_VE_DISABLE. XFAM: the extended features of an ordinary guest.
  const tdAttributes = Uint8Array.of(0, 0, 0, 0x10, 0, 0, 0, 0)
  const xfam = Uint8Array.of(0xe7, 0x02, 0x06, 0, 0, 0, 0, 0)
  return concat(
    SIMULATED_TEE_TCB_SVN,
    // MRSEAM, MRSIGNERSEAM and the SEAM attributes: a module "signed by Intel" has a zero signer.
    field('mrSeam', utf8('SIMULATED TDX module'.padEnd(48)), 48),
    new Uint8Array(48 + 8),
    tdAttributes,
    xfam,
    field('mrTd', mrTd, 48),
    field('mrConfigId', mrConfigId, 48),
    field('mrOwner', mrOwner, 48),
    field('mrOwnerConfig', mrOwnerConfig, 48),
    field('rtmr0', rtmr0, 48),
    field('rtmr1', rtmr1, 48),
    field('rtmr2', rtmr2, 48),
    field('rtmr3', rtmr3, 48),
    field('reportData', reportData, 64),
  )
}

function uint16(value: number): Bytes {
  return Uint8Array.of(value & 0xff, value >> 8)
}

function uint32(value: number): Bytes {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

export type EnclaveReportParameters = {
  mrEnclave: Bytes
  mrSigner: Bytes
  isvProdId: number
  isvSvn: number
  attributes: Bytes
  reportData: Bytes
}

/** Lays an SGX report body (384 bytes) out in bytes. */
export function enclaveReport(report: EnclaveReportParameters): Bytes {
  const bytes = new Uint8Array(384)
  bytes.set(report.attributes, 48)
  bytes.set(report.mrEnclave, 64)
  bytes.set(report.mrSigner, 128)
  bytes.set(uint16(report.isvProdId), 256)
  bytes.set(uint16(report.isvSvn), 258)
  bytes.set(report.reportData, 320)
  return bytes
}

export type AssembleQuoteParameters = {
  version: 3 | 4 | 5
  /** The report body; version 5 puts its type and size before it. */
  body: Bytes
  /** Version 5: 1 SGX, 2 TDX 1.0, 3 TDX 1.5. */
  bodyType?: 1 | 2 | 3
  qeVendor?: Bytes
  /** Changes the quoting enclave's report before it is signed: for tests of what must be refused. */
  qe?: Partial<EnclaveReportParameters>
}

/** Signs a report body as a quoting enclave does and puts the whole quote together. */
export async function assembleQuote(platform: Platform, parameters: AssembleQuoteParameters): Promise<Bytes> {
  const { version, body, bodyType = platform.tee === 'sgx' ? 1 : 2, qeVendor = INTEL_QE_VENDOR } = parameters
  const header = concat(
    uint16(version),
    uint16(2),
    uint32(platform.tee === 'sgx' ? 0 : 0x81),
    uint32(0),
    qeVendor,
    // The user data of the header is free: it says what this is to whoever reads the bytes.
    field('userData', utf8('SIMULATED'.padEnd(20)), 20),
  )
  const descriptor = version === 5 ? concat(uint16(bodyType), uint32(body.length)) : new Uint8Array()
  const signed = concat(header, descriptor, body)
  const attestationKey = publicPoint(platform.attestationKey)
  const authenticationData = Uint8Array.from({ length: 32 }, (_, index) => index)
  const qeReport = enclaveReport({
    mrEnclave: new Uint8Array(32).fill(0x51),
    mrSigner: SIMULATED_QE.mrSigner,
    isvProdId: platform.tee === 'sgx' ? 1 : 2,
    isvSvn: SIMULATED_QE.isvSvn,
    attributes: Uint8Array.of(0x15, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0),
    reportData: concat(await digest('SHA-256', concat(attestationKey, authenticationData)), new Uint8Array(32)),
    ...parameters.qe,
  })
  const pckChain = utf8(platform.pckChain)
  const certification = concat(
    qeReport,
    await sign({ key: platform.pckKey, message: qeReport }),
    uint16(authenticationData.length),
    authenticationData,
    uint16(5),
    uint32(pckChain.length),
    pckChain,
  )
  const wrapped = version === 3 ? certification : concat(uint16(6), uint32(certification.length), certification)
  const evidence = concat(await sign({ key: platform.attestationKey, message: signed }), attestationKey, wrapped)
  return concat(signed, uint32(evidence.length), evidence)
}

/**
 * Makes a quote of a simulated TD: byte-valid TDX version 4, signed under the simulator's root. Only a policy that pins that root
 * accepts it, and its verdict says `simulated`.
 *
 * @throws AttestationError when a value has the wrong length.
 *
 * @example
 * const quote = await simulateQuote(platform, { mrTd, rtmr3: await replayRtmr3(events), reportData })
 */
export async function simulateQuote(platform: Platform, parameters: SimulateQuoteParameters): Promise<Bytes> {
  if (platform.tee !== 'tdx') throw new AttestationError('This simulated platform is SGX: it makes no TDX quotes.', {})
  return assembleQuote(platform, { version: 4, body: tdReport(parameters) })
}
