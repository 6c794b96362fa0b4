export { Counter, Gauge, Histogram, Registry } from 'prom-client'
export type { ErrorTable } from './answer.ts'
export {
  type AuthDomain,
  type Challenge,
  isSignedBy,
  issueChallenge,
  NotAuthorizedError,
  signRequest,
  verifyChallenge,
  verifyRequest,
} from './auth.ts'
export type { ChainLog } from './blocks.ts'
export { type Chain, type ChainAccess, ChainUnreachableError, connectChain, openWallet } from './chain.ts'
export {
  ConfigError,
  chainVariables,
  commonVariables,
  databaseVariables,
  httpOptions,
  httpVariables,
  KeyFileError,
  readConfig,
  readConfigFile,
  readKeyFile,
  variable,
  writeKeyFile,
} from './config.ts'
export {
  type Database,
  MigrationError,
  openDatabase,
  type Query,
  type Row,
  storableJson,
  storableText,
  type Transaction,
} from './database.ts'
export {
  type FollowedBlock,
  type Follower,
  type FollowParameters,
  ForeignChainError,
  follow,
  type LoggedBlock,
} from './follow.ts'
export { gather, share } from './gather.ts'
export { type Jobs, type JobTable, startJobs } from './jobs.ts'
export { CLOSE_TIMEOUT, type Lifecycle, runProcess, startLifecycle } from './lifecycle.ts'
export { createLog, type Log } from './log.ts'
export * from './moments.ts'
export { databaseOutbox, firstFreeNonce, memoryOutbox, type Outbox } from './outbox.ts'
export { freePort, type Postgres, PostgresFailedError, PostgresRunningError, startPostgres } from './postgres.ts'
export { PostgresHomeError, postgresDirectory } from './postgresHome.ts'
export { recoverSigner } from './recovery.ts'
export {
  createSender,
  type Sender,
  type SendParameters,
  SendRefusedError,
  type Sent,
  TransactionDroppedError,
} from './sender.ts'
export {
  type App,
  type AppRequest,
  type HttpOptions,
  networkOf,
  type ServeParameters,
  type Server,
  serve,
} from './serve.ts'
export { openServiceDatabase } from './serviceDatabase.ts'
export { openTestDatabase } from './testing.ts'
export { createTransactions, type Transactions, type TransactionsParameters } from './transactions.ts'
