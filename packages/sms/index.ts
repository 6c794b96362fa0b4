export { type Attest, createAttest, expectPolicyFits } from './attest.ts'
export { type AuditVerdict, verifyAudit } from './auditLog.ts'
export { type BulkList, readBulkLists } from './bulkList.ts'
export { type Chain, openChain } from './chain.ts'
export { type MasterKeys, masterKeys } from './envelope.ts'
export * from './errors.ts'
export { type KeyWrapper, localKey } from './keyWrapper.ts'
export { rotate } from './rotation.ts'
export { routes } from './routes.ts'
export { createSecrets, type SecretId, type Secrets } from './secrets.ts'
export { createSessions, type SessionRequest, type Sessions } from './sessions.ts'
export { statuses } from './statuses.ts'

/** The tables of this service. */
export const migrations = [new URL('./migrations/', import.meta.url)]
