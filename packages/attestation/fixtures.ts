import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { type Bytes, fromHex, type Hex } from './bytes.ts'
import { type Collateral, parseCollateral } from './collateral.ts'
import { QuoteRefusedError, type Rule } from './errors.ts'
import { parseEventLog } from './events.ts'
import { trimQuote } from './parse.ts'
import { INTEL_ROOT_SHA256, type PolicyInput } from './policy.ts'
import { type SimulateQuoteParameters, simulateQuote } from './simulateQuote.ts'
import { createPlatform, createPolicy, createRoot } from './simulator.ts'
import type { VerifyQuoteParameters } from './verify.ts'

/** The moment at which the simulated world of these tests stands. */
export const NOW = new Date('2026-11-20T12:00:00Z')
export const MR_TD: Hex = `0x${'ab'.repeat(48)}`
export const REPORT_DATA: Hex = `0x${'5e'.repeat(64)}`
export const TD: SimulateQuoteParameters = { mrTd: MR_TD, reportData: REPORT_DATA }

/** A stack with its own root, one machine, and a policy that allows one measurement. */
export async function simulatedStack({ tee = 'tdx' }: { tee?: 'sgx' | 'tdx' } = {}) {
  const root = await createRoot({ at: NOW })
  const platform = await createPlatform(root, { at: NOW, tee })
  const policy = await createPolicy(root, [{ tee: 'tdx', name: 'runtime', mrTd: MR_TD }])
  return { root, platform, policy, collateral: platform.collateral }
}

/** A stack and one quote of it that verifies: tests change one thing. */
export async function acceptedQuote(): Promise<VerifyQuoteParameters & Awaited<ReturnType<typeof simulatedStack>>> {
  const stack = await simulatedStack()
  return { ...stack, quote: await simulateQuote(stack.platform, TD), at: NOW, reportData: REPORT_DATA }
}

/** Expects a refusal by exactly this rule, with a value in it. */
export async function expectRefusal(promise: Promise<unknown>, rule: Rule): Promise<QuoteRefusedError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(outcome instanceof QuoteRefusedError)) {
    throw new Error(
      `expected a refusal by "${rule}", found ${outcome === undefined ? 'an accepted quote' : String(outcome)}`,
    )
  }
  expect(outcome.rule, outcome.message).to.equal(rule)
  expect(outcome.message).to.include(rule).and.include(outcome.value)
  return outcome
}

/** Copies bytes with one bit pattern applied at an offset. */
export function flip(bytes: Uint8Array, offset: number, mask = 0x01): Bytes {
  const copy = Uint8Array.from(bytes)
  copy[offset] = (copy[offset] ?? 0) ^ mask
  return copy
}

/** Changes one hexadecimal digit of a text, counted from its end. */
export function flipDigit(hex: string, fromEnd = 1): string {
  const index = hex.length - fromEnd
  const digit = (Number.parseInt(hex.charAt(index), 16) ^ 1).toString(16)
  return hex.slice(0, index) + digit + hex.slice(index + 1)
}

const folder =
  process.env.ATTESTATION_VECTORS ?? fileURLToPath(new URL('../../../shared/attestation/vectors', import.meta.url))

/** Why the real vectors cannot be read; `undefined` when they can. */
export const vectorsMissing = existsSync(join(folder, 'tdx_quote'))
  ? undefined
  : `real hardware evidence is not at "${folder}": set ATTESTATION_VECTORS to its folder`

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'))
}

/** A recorded quote of real hardware. `buffer` is what the guest handed out, `quote` the same without its zero padding. */
export type Vector = { buffer: Bytes; quote: Bytes; collateral: Collateral; at: Date }

export function readVector(name: 'sgx_quote' | 'tdx_quote'): Vector {
  const buffer = Uint8Array.from(readFileSync(join(folder, name)))
  const collateral = parseCollateral(readJson(`${name}_collateral.json`))
  return { buffer, quote: trimQuote(buffer), collateral, at: new Date('2025-07-01T00:00:00Z') }
}

export function readDstackVector() {
  const report = readJson('dstack_tdx_report.json')
  if (typeof report !== 'object' || report === null) throw new TypeError('dstack_tdx_report.json is not an object')
  const text = (field: string) => String(Reflect.get(report, field))
  const buffer = fromHex(text('quote')) ?? new Uint8Array()
  return {
    buffer,
    quote: trimQuote(buffer),
    collateral: parseCollateral(readJson('dstack_tdx_collateral.json')),
    at: new Date('2026-03-01T00:00:00Z'),
    log: parseEventLog(text('event_log')),
    reportData: text('report_data'),
  }
}

/** A policy for real hardware that looks at a quote without judging its measurements. */
export const INTEL_POLICY: PolicyInput = {
  version: 1,
  roots: [{ name: 'Intel SGX Root CA', sha256: INTEL_ROOT_SHA256 }],
  measurements: 'any',
}
