export { localWallets, type Role, roles } from './accounts.ts'
export type { Deployment } from './deployment.ts'
export { type Process, ProcessNotHealthyError } from './processes.ts'
export { type Endpoints, type ProgramName, programs, type Stack, type StackParameters, startStack } from './stack.ts'
