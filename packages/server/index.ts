export type { ErrorTable } from './answer.ts'
export {
  ConfigError,
  chainVariables,
  commonVariables,
  databaseVariables,
  KeyFileError,
  readConfig,
  readConfigFile,
  readKeyFile,
  variable,
  writeKeyFile,
} from './config.ts'
export { type Database, MigrationError, openDatabase, type Query, type Row, type Transaction } from './database.ts'
export { CLOSE_TIMEOUT, type Lifecycle, runProcess, startLifecycle } from './lifecycle.ts'
export { createLog, type Log } from './log.ts'
export * from './moments.ts'
export { freePort, type Postgres, PostgresFailedError, PostgresRunningError, startPostgres } from './postgres.ts'
export { PostgresHomeError, postgresDirectory } from './postgresHome.ts'
export { type App, type AppRequest, type ServeParameters, type Server, serve } from './serve.ts'
export { openTestDatabase } from './testing.ts'
