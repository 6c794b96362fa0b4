import { isZero, toHex } from './bytes.ts'
import { refuse } from './errors.ts'
import type { EnclaveReport, Quote, TdReport } from './parse.ts'

/**
 * Refuses an enclave or TD whose memory others may enter: debug, service TDs, provisioning keys, and any power not asked for.
 *
 * @throws QuoteRefusedError with rule `debug`, `enclave-attributes`, `service-td` or `td-attributes`.
 */
export function expectAttributes({ body }: Quote): void {
  if (body.tee === 'sgx') expectEnclaveAttributes(body.report)
  else expectTdAttributes(body.report)
}

const SGX_INIT = 0x01
const SGX_DEBUG = 0x02
const SGX_PROVISION_KEY = 0x10
const SGX_LAUNCH_KEY = 0x20

function expectEnclaveAttributes({ attributes }: EnclaveReport): void {
  const flags = attributes[0] ?? 0
  const value = toHex(attributes)
  if ((flags & SGX_DEBUG) !== 0)
    refuse({ rule: 'debug', value, reason: 'the enclave can be debugged: its memory is open' })
  if ((flags & SGX_INIT) === 0 || (flags & (SGX_PROVISION_KEY | SGX_LAUNCH_KEY)) !== 0) {
    refuse({ rule: 'enclave-attributes', value, reason: 'the enclave is not an initialized, ordinary one' })
  }
}

const TD_DEBUG = 1n << 0n
const TD_SEPT_VE_DISABLE = 1n << 28n
const TD_MIGRATABLE = 1n << 29n

function expectTdAttributes({ tdAttributes, mrServiceTd }: TdReport): void {
  const bits = new DataView(tdAttributes.buffer).getBigUint64(0, true)
  const value = toHex(tdAttributes)
  if ((bits & TD_DEBUG) !== 0n) refuse({ rule: 'debug', value, reason: 'the TD can be debugged: its memory is open' })
  if ((bits & TD_MIGRATABLE) !== 0n)
    refuse({ rule: 'service-td', value, reason: 'the TD can be moved by a service TD' })
  if (mrServiceTd !== undefined && !isZero(mrServiceTd)) {
    refuse({ rule: 'service-td', value: toHex(mrServiceTd), reason: 'a service TD is bound to the TD' })
  }
  // Without this bit the host can make a guest see faults on its own pages; any other bit is a power that nobody granted.
  if (bits !== TD_SEPT_VE_DISABLE) {
    refuse({ rule: 'td-attributes', value, reason: 'the TD attributes are not exactly SEPT_VE_DISABLE' })
  }
}
