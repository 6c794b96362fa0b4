export { type Balance, balance } from './balance.ts'
export { type Chosen, chooseOrders } from './chooseOrders.ts'
export { claimTask } from './claimTask.ts'
export { type Client, createClient, type Endpoints } from './client.ts'
export { closeOrder } from './closeOrder.ts'
export { type CreateWorkerpoolParameters, createWorkerpool } from './createWorkerpool.ts'
export { type DeployAppParameters, type DeployAppReturnType, deployApp } from './deployApp.ts'
export { deposit } from './deposit.ts'
export * from './errors.ts'
export { type ExplainParameters, type ExplainReturnType, explain, printReasons, type Reason } from './explain.ts'
export { explainMatch } from './explainMatch.ts'
export { type FetchPrintedParameters, fetchPrinted, type PrintedOutput } from './fetchPrinted.ts'
export {
  type FetchResultParameters,
  type FetchResultReturnType,
  fetchResult,
  fetchStoredResult,
} from './fetchResult.ts'
export { type FindOrdersParameters, findOrder, findOrders, type PublishedOrder } from './findOrders.ts'
export { allGrants, type GetGrantedAccessParameters, getGrantedAccess } from './getGrantedAccess.ts'
export { type GetPayoutsReturnType, getPayouts, type Payout } from './getPayouts.ts'
export { type GetReceiptParameters, getReceipt } from './getReceipt.ts'
export { type GrantAccessParameters, type GrantedAccess, grantAccess } from './grantAccess.ts'
export { type MatchOrdersReturnType, matchOrders } from './matchOrders.ts'
export { readFacts, readMatchState } from './matchState.ts'
export { type PrepareBulkParameters, type PreparedBulk, prepareBulk } from './prepareBulk.ts'
export { type ProtectDataParameters, type ProtectDataReturnType, protectData } from './protectData.ts'
export { type PublishOrderParameters, publishOrder, signOrder, unpublishOrder } from './publishOrder.ts'
export { type Receipt, ReceiptRefusedError } from './receipt.ts'
export { type RevokeAccessParameters, revokeAccess } from './revokeAccess.ts'
export { type RevokeAllAccessParameters, type RevokedAccess, revokeAllAccess } from './revokeAllAccess.ts'
export { estimateRun, type RunParameters, type RunReturnType, run } from './run.ts'
export {
  deleteAppSecret,
  deleteDatasetKey,
  deleteRequesterSecret,
  deleteResultKey,
  hasDatasetKey,
  pushAppSecret,
  pushDatasetKey,
  pushRequesterSecret,
  pushResultKey,
} from './secrets.ts'
export { events, send } from './send.ts'
export type { OnStatus, Status } from './status.ts'
export { deleteStoredFile, type StoredFile, storedFiles } from './storedFiles.ts'
export { transferOwnership } from './transferOwnership.ts'
export { upload } from './upload.ts'
export { type ReceiptVerdict, type VerifyReceiptParameters, verifyReceipt } from './verifyReceipt.ts'
export { readTask, type TaskState, type WaitForTaskParameters, waitForTask } from './waitForTask.ts'
export { withdraw } from './withdraw.ts'
