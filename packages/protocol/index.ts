export * as Archive from './Archive.ts'
export * as Asset from './Asset.ts'
export * as Bundle from './Bundle.ts'
export * as Bytes from './Bytes.ts'
export * as Canonical from './Canonical.ts'
export * as Checksum from './Checksum.ts'
export * as Choice from './Choice.ts'
export * as Cipher from './Cipher.ts'
export * as Contracts from './contracts.ts'
export {
  type AppRegistry,
  type CallbackRelay,
  connectApp,
  connectAppRegistry,
  connectCallbackRelay,
  connectDataProtector,
  connectDataset,
  connectDatasetRegistry,
  connectGroup,
  connectHub,
  connectMarketplace,
  connectToken,
  connectWorkerpool,
  connectWorkerpoolRegistry,
  type DataProtector,
  type DatasetRegistry,
  type Group,
  type Hub,
  type Marketplace,
  readMembership,
  type Token,
  type WorkerpoolRegistry,
} from './contracts.ts'
export * as Deal from './Deal.ts'
export {
  type DeployedContract,
  type Deployment,
  deploymentOf,
  type RecordedDeployment,
  UnknownDeploymentError,
} from './Deployment.ts'
export * as Explanation from './Explanation.ts'
export { BaseError, type BaseErrorOptions, InvalidValueError, RetryableError } from './errors.ts'
export * as Failure from './Failure.ts'
export { type Address, type Hex, zeroAddress, zeroHash } from './hex.ts'
export * as Inclusion from './Inclusion.ts'
export * as Lease from './Lease.ts'
export * as Locator from './Locator.ts'
export * as Match from './Match.ts'
export * as Order from './Order.ts'
export * as Params from './Params.ts'
export * as Printed from './Printed.ts'
export * as ProtectedData from './ProtectedData.ts'
export * as Result from './Result.ts'
export { ContractRevertError, decodeRevert, explained } from './Revert.ts'
export * as Secret from './Secret.ts'
export * as Session from './Session.ts'
export * as SignedRequest from './SignedRequest.ts'
export * as Tag from './Tag.ts'
export * as Task from './Task.ts'
