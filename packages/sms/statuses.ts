/** Status of each error that a request can cause: 401 where the sender did not prove who they are, 403 where they may not. */
export const statuses: Record<string, number> = {
  EvidenceNotFoundError: 404,
  InvalidSecretError: 400,
  SecretAuthorizationSpentError: 401,
  SecretExistsError: 409,
  SecretNotAuthorizedError: 401,
  SecretNotFoundError: 404,
  SecretTooLargeError: 413,

  NonceExpiredError: 401,
  NonceUnknownError: 401,
  NonceUsedError: 401,

  AppMeasurementMismatchError: 403,
  BulkListMalformedError: 403,
  DatasetKeyNotFoundError: 403,
  DealNotConfidentialError: 403,
  DealNotFoundError: 403,
  DealOverError: 403,
  EventLogMismatchError: 403,
  LeaseExpiredError: 403,
  LeaseRefusedError: 403,
  NoDatasetLeftError: 403,
  QuoteRefusedError: 403,
  ReportDataMismatchError: 403,
  RequesterSecretNotFoundError: 403,
  RequestUnreadableError: 403,
  ResultKeyNotFoundError: 403,
  RuntimeNotAllowedError: 403,
  SecretDeletedError: 403,
  SessionExistsError: 403,
  TaskOutOfRangeError: 403,
  TaskOverError: 403,

  BulkListUnavailableError: 503,
  ChainUnavailableError: 503,
  CollateralUnavailableError: 503,
  MasterKeyUnavailableError: 503,
}

/** Whether the error says no to somebody, rather than that something here is broken. */
export function isRefusal(error: Error): boolean {
  return (statuses[error.name] ?? 500) < 500
}
