import { type Bytes, concat, isZero } from './bytes.ts'
import { refuse } from './errors.ts'

/** Length of the quote header, and of each report body, in bytes (Intel SGX and TDX DCAP quote formats). */
export const HEADER_LENGTH = 48
export const ENCLAVE_REPORT_LENGTH = 384
export const TD10_REPORT_LENGTH = 584
export const TD15_REPORT_LENGTH = 648

/** Intel's quoting enclave vendor id. */
export const INTEL_QE_VENDOR = Uint8Array.from([
  0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
])

const TEE_SGX = 0x00000000
const TEE_TDX = 0x00000081
const ECDSA_P256 = 2
const CERTIFICATION_PEM_CHAIN = 5
const CERTIFICATION_QE_REPORT = 6

/** An SGX report body: an application enclave's, or the quoting enclave's own. */
export type EnclaveReport = {
  cpuSvn: Bytes
  miscSelect: Bytes
  attributes: Bytes
  mrEnclave: Bytes
  mrSigner: Bytes
  isvProdId: number
  isvSvn: number
  reportData: Bytes
}

/** A TDX report body; `teeTcbSvn2` and `mrServiceTd` exist in the 1.5 form only. */
export type TdReport = {
  teeTcbSvn: Bytes
  mrSeam: Bytes
  mrSignerSeam: Bytes
  seamAttributes: Bytes
  tdAttributes: Bytes
  xfam: Bytes
  mrTd: Bytes
  mrConfigId: Bytes
  mrOwner: Bytes
  mrOwnerConfig: Bytes
  rtmr: [Bytes, Bytes, Bytes, Bytes]
  reportData: Bytes
  teeTcbSvn2?: Bytes
  mrServiceTd?: Bytes
}

/** A quote taken apart. Nothing in it is trusted yet. */
export type Quote = {
  version: 3 | 4 | 5
  body: { tee: 'sgx'; report: EnclaveReport } | { tee: 'tdx'; report: TdReport }
  qeVendor: Bytes
  userData: Bytes
  /** The bytes that the attestation key signed. */
  signed: Bytes
  signature: Bytes
  /** Raw P-256 point (x, y) of the attestation key. */
  attestationKey: Bytes
  qeReport: EnclaveReport
  qeReportBytes: Bytes
  qeReportSignature: Bytes
  qeAuthenticationData: Bytes
  /** The PCK certificate chain as the quote carries it. */
  pckChain: string
}

type Reader = { bytes: Bytes; offset: number }

function take(reader: Reader, length: number, what: string): Bytes {
  const end = reader.offset + length
  if (end > reader.bytes.length) {
    refuse({ rule: 'quote-format', value: `${reader.bytes.length} bytes`, reason: `the quote ends inside its ${what}` })
  }
  const part = reader.bytes.slice(reader.offset, end)
  reader.offset = end
  return part
}

function takeUint16(reader: Reader, what: string): number {
  return new DataView(take(reader, 2, what).buffer).getUint16(0, true)
}

function takeUint32(reader: Reader, what: string): number {
  return new DataView(take(reader, 4, what).buffer).getUint32(0, true)
}

function takeBlock(reader: Reader, length: number, what: string): Reader {
  return { bytes: take(reader, length, what), offset: 0 }
}

function expectEnd(reader: Reader, what: string): void {
  const left = reader.bytes.length - reader.offset
  if (left > 0) {
    refuse({ rule: 'quote-trailing-bytes', value: `${left} bytes`, reason: `bytes follow the end of the ${what}` })
  }
}

/** Reads an SGX report body. Its reserved and key-separation fields are signed like the rest and not judged. */
function readEnclaveReport(bytes: Bytes): EnclaveReport {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    cpuSvn: bytes.slice(0, 16),
    miscSelect: bytes.slice(16, 20),
    attributes: bytes.slice(48, 64),
    mrEnclave: bytes.slice(64, 96),
    mrSigner: bytes.slice(128, 160),
    isvProdId: view.getUint16(256, true),
    isvSvn: view.getUint16(258, true),
    reportData: bytes.slice(320, 384),
  }
}

function readTdReport(bytes: Bytes): TdReport {
  const report: TdReport = {
    teeTcbSvn: bytes.slice(0, 16),
    mrSeam: bytes.slice(16, 64),
    mrSignerSeam: bytes.slice(64, 112),
    seamAttributes: bytes.slice(112, 120),
    tdAttributes: bytes.slice(120, 128),
    xfam: bytes.slice(128, 136),
    mrTd: bytes.slice(136, 184),
    mrConfigId: bytes.slice(184, 232),
    mrOwner: bytes.slice(232, 280),
    mrOwnerConfig: bytes.slice(280, 328),
    rtmr: [bytes.slice(328, 376), bytes.slice(376, 424), bytes.slice(424, 472), bytes.slice(472, 520)],
    reportData: bytes.slice(520, 584),
  }
  if (bytes.length === TD10_REPORT_LENGTH) return report
  return { ...report, teeTcbSvn2: bytes.slice(584, 600), mrServiceTd: bytes.slice(600, 648) }
}

type Body = { body: Quote['body']; signedLength: number }

function readBody(reader: Reader, version: 3 | 4 | 5, teeType: number): Body {
  if (version === 5) {
    const type = takeUint16(reader, 'body type')
    const size = takeUint32(reader, 'body size')
    const start = HEADER_LENGTH + 6
    const known = { 1: ENCLAVE_REPORT_LENGTH, 2: TD10_REPORT_LENGTH, 3: TD15_REPORT_LENGTH }[type]
    if (known === undefined || known !== size) {
      refuse({
        rule: 'quote-format',
        value: `type ${type}, ${size} bytes`,
        reason: 'no report body has this type and size',
      })
    }
    if ((type === 1) !== (teeType === TEE_SGX)) {
      refuse({
        rule: 'quote-header',
        value: `type ${type}`,
        reason: 'the body type contradicts the TEE type of the header',
      })
    }
    const bytes = take(reader, known, 'report body')
    const body: Quote['body'] =
      type === 1 ? { tee: 'sgx', report: readEnclaveReport(bytes) } : { tee: 'tdx', report: readTdReport(bytes) }
    return { body, signedLength: start + known }
  }
  if (teeType === TEE_SGX) {
    const report = readEnclaveReport(take(reader, ENCLAVE_REPORT_LENGTH, 'enclave report'))
    return { body: { tee: 'sgx', report }, signedLength: HEADER_LENGTH + ENCLAVE_REPORT_LENGTH }
  }
  const report = readTdReport(take(reader, TD10_REPORT_LENGTH, 'TD report'))
  return { body: { tee: 'tdx', report }, signedLength: HEADER_LENGTH + TD10_REPORT_LENGTH }
}

/** Reads QE report, its signature, authentication data and the PCK chain: the same run of fields in every version. */
function readCertification(reader: Reader) {
  const qeReportBytes = take(reader, ENCLAVE_REPORT_LENGTH, 'QE report')
  const qeReportSignature = take(reader, 64, 'QE report signature')
  const qeAuthenticationData = take(reader, takeUint16(reader, 'authentication data size'), 'authentication data')
  const type = takeUint16(reader, 'certification data type')
  if (type !== CERTIFICATION_PEM_CHAIN) {
    refuse({
      rule: 'quote-format',
      value: type,
      reason: 'the certification data is not a PCK certificate chain (type 5)',
    })
  }
  const chain = take(reader, takeUint32(reader, 'certification data size'), 'PCK certificate chain')
  // Quote generators end the PEM text with one C string terminator.
  const text = chain.at(-1) === 0 ? chain.subarray(0, -1) : chain
  const pckChain = String.fromCharCode(...text)
  return {
    qeReport: readEnclaveReport(qeReportBytes),
    qeReportBytes,
    qeReportSignature,
    qeAuthenticationData,
    pckChain,
  }
}

/**
 * Takes an SGX (version 3, 4 or 5) or TDX (version 4 or 5) ECDSA quote apart. Every length must add up: no byte may be left over.
 *
 * @param bytes - The quote. Buffers that a guest agent padded with zeros go through {@link trimQuote} first.
 * @throws QuoteRefusedError with rule `quote-format`, `quote-header` or `quote-trailing-bytes`.
 * @see Intel SGX ECDSA Quote Library API and Intel TDX DCAP Quoting Library API, "Quote format".
 */
export function parseQuote(bytes: Uint8Array): Quote {
  const reader: Reader = { bytes: concat(bytes), offset: 0 }
  const header = take(reader, HEADER_LENGTH, 'header')
  const view = new DataView(header.buffer)
  const version = view.getUint16(0, true)
  const keyType = view.getUint16(2, true)
  const teeType = view.getUint32(4, true)
  if (version !== 3 && version !== 4 && version !== 5) {
    refuse({ rule: 'quote-header', value: version, reason: 'only quote versions 3, 4 and 5 are known' })
  }
  if (keyType !== ECDSA_P256) {
    refuse({ rule: 'quote-header', value: keyType, reason: 'only ECDSA P-256 attestation keys (type 2) are accepted' })
  }
  if (teeType !== TEE_SGX && (teeType !== TEE_TDX || version === 3)) {
    refuse({ rule: 'quote-header', value: teeType, reason: 'the TEE type is neither SGX nor, from version 4 on, TDX' })
  }
  const { body, signedLength } = readBody(reader, version, teeType)
  const evidence = takeBlock(reader, takeUint32(reader, 'signature data size'), 'signature data')
  expectEnd(reader, 'quote')
  const signature = take(evidence, 64, 'signature')
  const attestationKey = take(evidence, 64, 'attestation key')
  let certification = evidence
  if (version > 3) {
    const type = takeUint16(evidence, 'certification data type')
    if (type !== CERTIFICATION_QE_REPORT) {
      refuse({ rule: 'quote-format', value: type, reason: 'the certification data is not a QE report (type 6)' })
    }
    certification = takeBlock(evidence, takeUint32(evidence, 'certification data size'), 'certification data')
    expectEnd(evidence, 'signature data')
  }
  const certified = readCertification(certification)
  expectEnd(certification, 'certification data')
  return {
    version,
    body,
    qeVendor: header.slice(12, 28),
    userData: header.slice(28, 48),
    signed: reader.bytes.slice(0, signedLength),
    signature,
    attestationKey,
    ...certified,
  }
}

/**
 * Cuts the zero padding that TDX guests leave after a quote (the kernel hands out a fixed-size buffer). Anything but zeros is left
 * in place, to be refused by {@link parseQuote}. A quote too short to know its own length is returned as it is.
 */
export function trimQuote(bytes: Uint8Array): Bytes {
  const quote = concat(bytes)
  const view = new DataView(quote.buffer)
  if (quote.length < HEADER_LENGTH + 6) return quote
  const version = view.getUint16(0, true)
  const isSgx = view.getUint32(4, true) === TEE_SGX
  const fixed = HEADER_LENGTH + (isSgx ? ENCLAVE_REPORT_LENGTH : TD10_REPORT_LENGTH)
  const sizeAt = version === 5 ? HEADER_LENGTH + 6 + view.getUint32(HEADER_LENGTH + 2, true) : fixed
  if (quote.length < sizeAt + 4) return quote
  const end = sizeAt + 4 + view.getUint32(sizeAt, true)
  return end < quote.length && isZero(quote.subarray(end)) ? quote.slice(0, end) : quote
}
