// Collateral from Intel's provisioning certification service, or from any cache of it (PCCS).
// https://api.portal.trustedservices.intel.com/content/documentation.html (version 4)
import { type Collateral, type CollateralNeeds, collateralNeeds, parseCollateral } from '@sealdeal/attestation'
import { CollateralUnavailableError } from './errors.ts'

/** Gives the collateral that a quote is to be judged by. */
export type CollateralSource = (quote: Uint8Array) => Promise<Collateral>

export type PccsParameters = {
  /** For instance `https://pccs.example:8081` or `https://api.trustedservices.intel.com`. */
  url: string
  /** Where the root's revocation list is, if not at the cache: Intel's own service has it at another host. */
  rootCrlUrl?: string | undefined
  /** What was fetched is used for so many milliseconds before it is asked for again. */
  maxAge: number
  /** Milliseconds that one answer may take. */
  timeout?: number
  clock?: () => number
  /** Told when the service does not answer and what was fetched earlier is used. */
  onStale?: (error: unknown, needs: CollateralNeeds) => void
}

/** Quotes of so many families of processors are kept ready: more exist in no pool. */
const MOST_KEPT = 100
/** The longest document has some tens of kilobytes. */
const MOST_BYTES = 2_000_000
/** After a failure the service is left alone for a while. */
const PAUSE_MS = 10_000

type Kept = { collateral?: Collateral; fetchedAt: number; triedAt: number; failure?: unknown; fetching?: Promise<void> }

/**
 * Fetches collateral, and keeps it. When the service is away, what was fetched earlier serves on: how old it may be is the
 * trust policy's to say, and its documents say until when they hold.
 *
 * @throws CollateralUnavailableError where there is none yet.
 */
export function openPccs(parameters: PccsParameters): CollateralSource {
  const { maxAge, clock = Date.now, onStale } = parameters
  const kept = new Map<string, Kept>()

  function entryOf(key: string): Kept {
    const entry = kept.get(key) ?? { fetchedAt: Number.NEGATIVE_INFINITY, triedAt: Number.NEGATIVE_INFINITY }
    // Last used, last forgotten.
    kept.delete(key)
    kept.set(key, entry)
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value as string)
    return entry
  }
  async function renew(entry: Kept, needs: CollateralNeeds): Promise<void> {
    entry.triedAt = clock()
    try {
      entry.collateral = await fetchCollateral(parameters, needs)
      entry.fetchedAt = entry.triedAt
      delete entry.failure
    } catch (error) {
      entry.failure = error
      if (entry.collateral) onStale?.(error, needs)
    }
  }

  return async (quote) => {
    const needs = collateralNeeds(quote)
    const entry = entryOf(`${needs.tee} ${needs.fmspc} ${needs.authority}`)
    const isOld = clock() - entry.fetchedAt >= maxAge
    const isPausing = entry.failure !== undefined && clock() - entry.triedAt < PAUSE_MS
    if (isOld && !isPausing) {
      // Whoever comes meanwhile waits for the same answer.
      entry.fetching ??= renew(entry, needs).finally(() => delete entry.fetching)
      await entry.fetching
    }
    if (entry.collateral) return entry.collateral
    throw entry.failure
  }
}

type Answer = { bytes: Uint8Array; text: string; chain: string }

async function fetchCollateral(parameters: PccsParameters, needs: CollateralNeeds): Promise<Collateral> {
  const { tee, fmspc, authority } = needs
  const { url, rootCrlUrl = `${base(url)}/sgx/certification/v4/rootcacrl` } = parameters
  const ask = (what: string, path: string, header?: string) =>
    askFor(parameters, { what, url: `${base(url)}${path}`, header, needs })
  const [pckCrl, rootCrl, tcb, qe] = await Promise.all([
    ask('the PCK revocation list', `/sgx/certification/v4/pckcrl?ca=${authority}&encoding=der`, 'pck-crl-issuer-chain'),
    askFor(parameters, { what: "the root's revocation list", url: rootCrlUrl, needs }),
    ask('the TCB info', `/${tee}/certification/v4/tcb?fmspc=${fmspc}`, 'tcb-info-issuer-chain'),
    ask('the QE identity', `/${tee}/certification/v4/qe/identity`, 'enclave-identity-issuer-chain'),
  ])
  const refuse = (what: string): never => {
    throw new CollateralUnavailableError({ ...needs, url, reason: `${what} is not of the form that is known` })
  }
  const tcbInfo = signedPart(tcb.text, 'tcbInfo') ?? refuse('the TCB info')
  const qeIdentity = signedPart(qe.text, 'enclaveIdentity') ?? refuse('the QE identity')
  return parseCollateral({
    pck_crl_issuer_chain: pckCrl.chain,
    root_ca_crl: listOf(rootCrl) ?? refuse("the root's revocation list"),
    pck_crl: listOf(pckCrl) ?? refuse('the PCK revocation list'),
    tcb_info_issuer_chain: tcb.chain,
    tcb_info: tcbInfo.text,
    tcb_info_signature: tcbInfo.signature,
    qe_identity_issuer_chain: qe.chain,
    qe_identity: qeIdentity.text,
    qe_identity_signature: qeIdentity.signature,
  })
}

const base = (url: string) => url.replace(/\/+$/, '')

async function askFor(
  { timeout = 10_000 }: PccsParameters,
  { what, url, header, needs }: { what: string; url: string; header?: string | undefined; needs: CollateralNeeds },
): Promise<Answer> {
  const refuse = (reason: string, cause?: unknown) =>
    new CollateralUnavailableError({ ...needs, url, reason: `${what} ${reason}`, cause })
  const response = await fetch(url, { signal: AbortSignal.timeout(timeout) }).catch((error: unknown) => {
    throw refuse('cannot be fetched', error)
  })
  if (!response.ok) {
    await response.body?.cancel()
    throw refuse(`was answered with status ${response.status}`)
  }
  const bytes = await readAtMost(response, MOST_BYTES).catch((error: unknown) => {
    throw refuse('broke off', error)
  })
  if (bytes === undefined) throw refuse(`has more than ${MOST_BYTES} bytes`)
  // The names of the headers begin with SGX- at some versions, and do not at others.
  const names = header ? [header, `sgx-${header}`] : []
  const chain = names.map((name) => response.headers.get(name)).find((value) => value !== null)
  if (header && !chain) throw refuse(`came without its issuer chain (header ${header})`)
  return { bytes, text: new TextDecoder().decode(bytes), chain: decoded(chain ?? '') }
}

async function readAtMost(response: Response, most: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    // Leaving the loop ends the transfer.
    if (length > most) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** PEM in a header is escaped as in URLs. */
function decoded(header: string): string {
  try {
    return decodeURIComponent(header)
  } catch {
    return header
  }
}

/** The bytes that were signed, exactly as they came, and the signature beside them. */
function signedPart(text: string, name: string): { text: string; signature: string } | undefined {
  const parts = new RegExp(
    `^\\s*\\{\\s*"${name}"\\s*:\\s*(\\{.*\\})\\s*,\\s*"signature"\\s*:\\s*"([0-9a-fA-F]+)"\\s*\\}\\s*$`,
    's',
  )
  const [, signed, signature] = parts.exec(text) ?? []
  return signed && signature ? { text: signed, signature } : undefined
}

/** A revocation list in hexadecimal: it comes as DER, as PEM, or as hexadecimal text. */
function listOf({ bytes, text }: Answer): string | undefined {
  // An ASN.1 sequence; of text, this would be a zero.
  if (bytes[0] === 0x30) return Buffer.from(bytes).toString('hex')
  const [, pem] = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/.exec(text) ?? []
  if (pem) return Buffer.from(pem, 'base64').toString('hex')
  const hex = text.trim()
  return /^30[0-9a-fA-F]*$/.test(hex) ? hex.toLowerCase() : undefined
}
