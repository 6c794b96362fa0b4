import { type Bytes, toHex } from './bytes.ts'
import type { Certificate } from './certificate.ts'
import { type OidValue, readOidTree, writeOidTree } from './der.ts'
import { refuse } from './errors.ts'

/** Intel's arc of SGX certificate extensions; the numbers below hang under it. */
export const SGX_EXTENSIONS = '1.2.840.113741.1.13.1'

/** What a PCK certificate says about the processor. */
export type Pck = {
  ppid: Bytes
  componentSvns: number[]
  pceSvn: number
  cpuSvn: Bytes
  pceId: Bytes
  fmspc: Bytes
  platformInstanceId?: Bytes
}

/**
 * Reads Intel's extensions of a PCK certificate.
 *
 * @throws QuoteRefusedError with rule `certificate` when one is missing or malformed.
 * @see Intel SGX PCK Certificate and CRL Profile Specification
 */
export function readPck(certificate: Certificate): Pck {
  const value = certificate.extensions.get(SGX_EXTENSIONS)
  const tree = value === undefined ? undefined : readOidTree(value)
  if (tree === undefined) {
    refuse({ rule: 'certificate', value: certificate.commonName, reason: 'the PCK certificate has no SGX extensions' })
  }
  const tcb = tree.get(`${SGX_EXTENSIONS}.2`)
  if (!(tcb instanceof Map)) {
    refuse({ rule: 'certificate', value: `${SGX_EXTENSIONS}.2`, reason: 'the PCK certificate has no TCB extension' })
  }
  const componentSvns = Array.from({ length: 16 }, (_, index) => readNumber(tcb, `${SGX_EXTENSIONS}.2.${index + 1}`))
  const instance = tree.get(`${SGX_EXTENSIONS}.6`)
  return {
    ppid: readBytes(tree, `${SGX_EXTENSIONS}.1`, 16),
    componentSvns,
    pceSvn: readNumber(tcb, `${SGX_EXTENSIONS}.2.17`),
    cpuSvn: readBytes(tcb, `${SGX_EXTENSIONS}.2.18`, 16),
    pceId: readBytes(tree, `${SGX_EXTENSIONS}.3`, 2),
    fmspc: readBytes(tree, `${SGX_EXTENSIONS}.4`, 6),
    ...(instance instanceof Uint8Array ? { platformInstanceId: instance } : {}),
  }
}

function readNumber(tree: Map<string, OidValue>, id: string): number {
  const value = tree.get(id)
  if (typeof value !== 'number' || value < 0) {
    refuse({ rule: 'certificate', value: id, reason: 'the PCK certificate lacks a number of its TCB extension' })
  }
  return value
}

function readBytes(tree: Map<string, OidValue>, id: string, length: number): Bytes {
  const value = tree.get(id)
  if (!(value instanceof Uint8Array) || value.length !== length) {
    const found = value instanceof Uint8Array ? toHex(value) : id
    refuse({
      rule: 'certificate',
      value: found,
      reason: `the SGX extension ${id} of the PCK certificate is not ${length} bytes`,
    })
  }
  return value
}

/** Writes the extensions of a PCK certificate: the simulator's half of {@link readPck}. */
export function writePck(pck: Pck): Bytes {
  const tcb = new Map<string, OidValue>(
    pck.componentSvns.map((svn, index) => [`${SGX_EXTENSIONS}.2.${index + 1}`, svn] as const),
  )
  tcb.set(`${SGX_EXTENSIONS}.2.17`, pck.pceSvn)
  tcb.set(`${SGX_EXTENSIONS}.2.18`, pck.cpuSvn)
  const tree = new Map<string, OidValue>([
    [`${SGX_EXTENSIONS}.1`, pck.ppid],
    [`${SGX_EXTENSIONS}.2`, tcb],
    [`${SGX_EXTENSIONS}.3`, pck.pceId],
    [`${SGX_EXTENSIONS}.4`, pck.fmspc],
  ])
  if (pck.platformInstanceId !== undefined) tree.set(`${SGX_EXTENSIONS}.6`, pck.platformInstanceId)
  return writeOidTree(tree)
}
