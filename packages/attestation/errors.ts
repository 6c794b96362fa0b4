/** What a verifier rule is called in refusals, tests and documentation: one name per check, in the order of checking. */
export type Rule =
  | 'quote-format'
  | 'quote-trailing-bytes'
  | 'quote-header'
  | 'qe-vendor'
  | 'collateral-format'
  | 'root'
  | 'certificate'
  | 'certificate-chain'
  | 'certificate-window'
  | 'revocation-list'
  | 'revocation-window'
  | 'revoked'
  | 'tcb-info-signature'
  | 'qe-identity-signature'
  | 'tcb-info-window'
  | 'qe-identity-window'
  | 'collateral-age'
  | 'platform-mismatch'
  | 'qe-report-signature'
  | 'qe-report-data'
  | 'quote-signature'
  | 'qe-identity'
  | 'tcb-level'
  | 'tdx-module'
  | 'tcb-status'
  | 'advisory'
  | 'evaluation-number'
  | 'debug'
  | 'td-attributes'
  | 'service-td'
  | 'enclave-attributes'
  | 'platform-id'
  | 'measurement'
  | 'report-data'
  | 'event-log'
  | 'compose-hash'

/** What an attestation error may say besides its sentence. */
export type AttestationErrorParameters = { metaMessages?: string[]; docsPath?: string; cause?: unknown }

/**
 * The base of this package's errors. It has the shape of the protocol package's base error (`shortMessage`, `metaMessages`,
 * `docsPath`) without importing it: the two libraries stand side by side and neither needs the other.
 */
export class AttestationError extends Error {
  override name = 'AttestationError'
  readonly shortMessage: string
  readonly metaMessages: string[]
  readonly docsPath: string

  constructor(
    shortMessage: string,
    { metaMessages = [], docsPath = '/attestation', cause }: AttestationErrorParameters,
  ) {
    // `/attestation#root` is the heading `root` of `docs/attestation.md`.
    const docs = `Docs: docs${docsPath.replace(/#|$/, '.md$&')}`
    super([shortMessage, ...metaMessages, docs].join('\n'), cause === undefined ? {} : { cause })
    this.shortMessage = shortMessage
    this.metaMessages = metaMessages
    this.docsPath = docsPath
  }
}

/** A quote, its collateral or its event log breaks a rule. `rule` names it, `value` is what was found. */
export class QuoteRefusedError extends AttestationError {
  override name = 'QuoteRefusedError'
  readonly rule: Rule
  readonly value: string

  constructor({ rule, value, reason, cause }: { rule: Rule; value: string; reason: string; cause?: unknown }) {
    super(`The quote is refused by rule "${rule}": ${reason} (found "${value}").`, {
      docsPath: `/attestation#${rule}`,
      cause,
    })
    this.rule = rule
    this.value = value
  }
}

/** A trust policy does not follow the schema, or contradicts itself. */
export class PolicyInvalidError extends AttestationError {
  override name = 'PolicyInvalidError'

  constructor({ problems }: { problems: string[] }) {
    super('The trust policy is not valid.', { metaMessages: problems, docsPath: '/attestation#policy' })
  }
}

/** A file that holds a simulator key is missing, unreadable, malformed or readable by others. */
export class KeyFileError extends AttestationError {
  override name = 'KeyFileError'

  constructor({ path, reason, cause }: { path: string; reason: string; cause?: unknown }) {
    super(`The simulator file "${path}" cannot be used: ${reason}.`, {
      metaMessages: ['Make a new one: it is made per stack, readable by its owner alone, and never shared.'],
      docsPath: '/attestation#simulator',
      cause,
    })
  }
}

/** Refuses with a rule, the value found and the reason. */
export function refuse({
  rule,
  value,
  reason,
  cause,
}: {
  rule: Rule
  value: unknown
  reason: string
  cause?: unknown
}): never {
  throw new QuoteRefusedError({ rule, value: String(value), reason, cause })
}
