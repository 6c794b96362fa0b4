import { type ErrorDescription, isError, isHexString } from 'ethers'
import { everything } from './contracts.ts'
import { BaseError } from './errors.ts'
import * as Tag from './Tag.ts'
import { statuses } from './Task.ts'

/** A contract refused: which custom error, with which values, in words. */
export class ContractRevertError extends BaseError {
  override name = 'ContractRevertError'
  /** Name of the Solidity error, e.g. `Overpriced`. */
  readonly errorName: string
  readonly values: Record<string, unknown>

  constructor({ errorName, values, cause }: { errorName: string; values: Record<string, unknown>; cause?: unknown }) {
    const [sentence, remedy] = explain(errorName, values)
    super(sentence, { cause, metaMessages: [remedy], docsPath: `/errors#${errorName.toLowerCase()}` })
    this.errorName = errorName
    this.values = values
  }
}

/** Explanation of a failed call or transaction, or `undefined` when no contract of ours refused it. */
export function decodeRevert(error: unknown): ContractRevertError | undefined {
  const data = revertData(error)
  const description = data === undefined ? null : everything.parseError(data)
  if (description === null) return undefined
  const errorName = description.name === 'Error' ? 'Reason' : description.name
  return new ContractRevertError({ errorName, values: values(description), cause: error })
}

/** The error to throw for a failed call: explained where we can, otherwise as it is. */
export function explained(error: unknown): unknown {
  return decodeRevert(error) ?? error
}

/** Names of the errors that have a sentence of their own. */
export function knownErrors(): string[] {
  return Object.keys(sentences)
}

/** Libraries bury the revert data at different depths. */
function revertData(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 6) return undefined
  if (isError(error, 'CALL_EXCEPTION') && typeof error.data === 'string') return error.data
  const { data, error: inner, info, cause } = error as Record<string, unknown>
  if (isHexString(data) && data.length >= 10) return data
  for (const next of [data, inner, info, cause]) {
    const found = revertData(next, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function values({ fragment, args }: ErrorDescription): Record<string, unknown> {
  const kind = fragment.inputs.map(({ name, type }, index) => [name || `arg${index}`, named(name, type, args[index])])
  return Object.fromEntries(kind)
}

const orderKinds = ['app', 'dataset', 'workerpool', 'request']

/** Enumerations arrive as numbers. */
function named(name: string, type: string, value: unknown): unknown {
  // What a call of a multicall was refused with.
  if (type === 'bytes' && name === 'reason') return reasonWords(value)
  if (type !== 'uint8') return value
  if (name === 'status') return statuses[Number(value)] ?? value
  return ['kind', 'by', 'what'].includes(name) ? (orderKinds[Number(value)] ?? value) : value
}

function reasonWords(data: unknown): string {
  if (data === '0x') return 'It gave no reason.'
  return decodeRevert({ data })?.shortMessage ?? `It answered ${String(data)}.`
}

function explain(errorName: string, values: Record<string, unknown>): [string, string] {
  const sentence = sentences[errorName]
  const listed = Object.entries(values).map(([name, value]) => `${name} ${String(value)}`)
  if (sentence === undefined)
    return [`The contract refused: ${errorName}(${listed.join(', ')}).`, 'See the documentation.']
  const text = (name: string) => (name.toLowerCase().endsWith('tag') ? tagWords(values[name]) : String(values[name]))
  return [fill(sentence[0], text), fill(sentence[1], text)]
}

function fill(template: string, value: (name: string) => string): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => value(name))
}

function tagWords(tag: unknown): string {
  return isHexString(tag, 32) ? Tag.decode(tag as `0x${string}`).join(' + ') || 'nothing' : String(tag)
}

/** Every error of the protocol's contracts: what happened, what to do. `{name}` stands for one of its values. */
const sentences: Record<string, [string, string]> = {
  // Match
  CategoryMismatch: [
    'The request wants category {requested}, the workerpool offers {offered}.',
    'Choose a workerpool order of the category, or ask for its category.',
  ],
  UnknownCategory: ['Category {category} does not exist.', 'Choose an existing one: `countCategory` tells how many.'],
  TrustTooHigh: [
    'The request wants trust {requested}, the workerpool accepts at most {accepted}.',
    'Ask for less trust (1 is right for enclaves), or choose another workerpool.',
  ],
  Overpriced: [
    'The {kind} costs {price} per task, the request pays at most {maxPrice}.',
    'Raise the highest price of the request, or find a cheaper order.',
  ],
  TagNotCovered: [
    'The deal demands {tag}, the workerpool offers {workerpoolTag}.',
    'Choose a workerpool that offers all of it.',
  ],
  EnclaveMismatch: [
    'The deal demands {tag}, but the app order offers {appTag}.',
    'Use an app order with the TEE bit (bit 0) in its tag.',
  ],
  AppMismatch: ['The request is for app {requested}, the app order for {offered}.', 'Use an order of that app.'],
  DatasetMismatch: [
    'The request is for dataset {requested}, the dataset order for {offered}.',
    'Use an order of that dataset, or none where the request names none.',
  ],
  Restricted: [
    'The {by} order admits only {restriction} as {what}, not {candidate}.',
    'Use what it admits, or ask its signer for an order that admits yours.',
  ],
  NotRegistered: ['{entry} is not a registered {kind}.', 'Check the address and the chain.'],
  NotAuthentic: [
    'The {kind} order {orderHash} is not signed by {owner}.',
    'Get an order signed by the present owner: a transfer ends the orders of the owner before.',
  ],
  NothingLeft: [
    'The {kind} order {orderHash} is exhausted: all {volume} of its tasks are used, or it was revoked.',
    'Get a new order.',
  ],
  IncompatibleDatasetOrder: ['The dataset order does not fit the deal: {reason}.', 'Use another grant of the dataset.'],
  // Orders
  OperationNotAuthorized: [
    'Only {owner} may sign or close order {orderHash}, not {caller}.',
    'Send it from that account, or carry its signature of the operation.',
  ],
  UnknownOperation: ['There is no operation {operation} on orders.', 'Use 0 to sign, 1 to close.'],
  // Tasks
  UnknownDeal: ['There is no deal {dealId}.', 'Check the id and the chain.'],
  IndexOutOfDeal: ['Deal {dealId} has no task {index}: it has {size} from {first} on.', 'Choose an index of the deal.'],
  WrongStatus: [
    'Task {taskId} is {status}, which does not allow this.',
    'Look at the task again: somebody was faster.',
  ],
  DeadlinePassed: [
    'The deadline of task {taskId} passed at {deadline} (unix seconds).',
    'Claim the task after its final deadline: the payer is refunded.',
  ],
  DeadlineNotReached: [
    'It is too early for this with task {taskId}: wait until {deadline} (unix seconds).',
    'Wait until then.',
  ],
  TrustNotOne: [
    'Task {taskId} wants trust {trust}: one worker alone may not finish it.',
    'Let several workers contribute and reveal.',
  ],
  WrongCallbackData: [
    'The callback data of task {taskId} hashes to {callbackHash}, but the result digest is {resultDigest}.',
    'Deliver the data that was hashed; without a callback deliver none.',
  ],
  EnclaveRequired: ['Task {taskId} must run in an enclave.', 'Name the address of the enclave that ran it.'],
  NotAuthorized: [
    '{authorizer} did not authorize worker {worker} with enclave {enclaveChallenge} for task {taskId}.',
    'Open a session first: the secret service signs the authorization.',
  ],
  NotSignedByEnclave: [
    'The result of task {taskId} was not signed by the enclave {enclaveChallenge}.',
    'Deliver what the enclave signed, unchanged.',
  ],
  CallbackStarved: [
    'Only {gasLeft} gas was left for a callback that is due {callbackGas}.',
    'Send the transaction with more gas.',
  ],
  NoResultToRelay: ['Task {taskId} is {status}, and has no result to deliver.', 'Ask again when it is completed.'],
  NoCallbackWanted: ['The deal of task {taskId} asks for no callback.', 'Read the result with `resultFor`.'],
  NotAwaited: [
    '{consumer} does not wait for the result of task {taskId} from this relay.',
    'It has it already, or must name the relay in `relayFor`.',
  ],
  CallbackRefused: [
    '{consumer} refused the result of task {taskId}: {reason}.',
    'If no reason is given, try with more gas; otherwise ask its authors.',
  ],
  StillAwaited: [
    '{consumer} would take the result of task {taskId} again and again.',
    'Its `relayFor` must answer zero once it has the result.',
  ],
  HasContributions: [
    'Task {taskId} was reopened after contributions: one worker alone may not finish it any more.',
    'Let several workers contribute and reveal.',
  ],
  NothingToSettle: ['No result of deal {dealId} was handed in.', 'Hand in at least one.'],
  NotWorker: [
    'The result of task {taskId} has no enclave to vouch for it: only its worker {worker} may hand it in, not {caller}.',
    'Send it from the worker.',
  ],
  TaskPending: ['Task {taskId} is {status}: it has no result yet.', 'Wait until it is COMPLETED.'],
  // Replicated tasks
  AlreadyContributed: ['{worker} has contributed to task {taskId} before.', 'A worker contributes once to a task.'],
  TooManyContributors: [
    'Task {taskId} has {limit} contributions, which is the limit.',
    'Wait for its end: reveal, or claim it after the final deadline.',
  ],
  NothingToReveal: [
    '{worker} has nothing to reveal of task {taskId}: its result was not agreed on, or is revealed.',
    'Nothing needs to be done.',
  ],
  WrongDigest: [
    '{resultDigest} is not the digest that {worker} contributed to task {taskId}.',
    'Reveal the digest that hash and seal were made of.',
  ],
  NotPoolOwner: [
    'Only the owner {poolOwner} of the pool may do this for task {taskId}, not {caller}.',
    'Send it from the owner of the pool.',
  ],
  RevealsMissing: [
    '{revealed} of {winners} workers have revealed the result of task {taskId}; the others may until {deadline} (unix seconds).',
    'Wait for them or for the deadline; after it one is enough, and if nobody revealed the task can be reopened.',
  ],
  AlreadyRevealed: ['The result of task {taskId} was revealed.', 'Finalize the task instead of reopening it.'],
  CredibilityOverflow: [
    'The credibilities of the results no longer fit 256 bits: {credibility} and {added}.',
    'Claim the task after its final deadline.',
  ],
  // Bulk
  NotPayer: ['Only {payer}, who pays deal {dealId}, may attach datasets, not {caller}.', 'Send it from the payer.'],
  DealHasDataset: [
    'Deal {dealId} has a dataset of its own, {dataset}.',
    'Attach datasets to tasks of a deal that was made without one.',
  ],
  AlreadyAttached: ['Task {taskId} has its datasets.', 'Attach all of them in one call.'],
  CallFailed: ['Call {index} of the multicall failed, so none was made: {reason}', 'Mend that call, or leave it out.'],
  // Escrow
  ERC20InsufficientBalance: [
    '{sender} has {balance}, but {needed} is needed.',
    'Deposit the difference first, or lower the amount.',
  ],
  ERC20InsufficientAllowance: [
    '{spender} may move {allowance}, but {needed} is needed.',
    'Approve more, or deposit by `approveAndCall`.',
  ],
  ERC20InvalidSender: ['{sender} cannot send.', 'Use another account.'],
  ERC20InvalidReceiver: ['{receiver} cannot receive.', 'Use another account.'],
  ERC20InvalidApprover: ['{approver} cannot approve.', 'Use another account.'],
  ERC20InvalidSpender: ['{spender} cannot be approved.', 'Use another account.'],
  TokenTransferFailed: [
    'The token did not move {amount} from {from} to {to}.',
    'Check the balance and the allowance of the token itself.',
  ],
  SupplyTooLarge: ['A staked supply of {supply} is above the limit of {limit}.', 'Deposit less.'],
  LengthMismatch: ['Two lists that belong together have {first} and {second} entries.', 'Make them equally long.'],
  OnlyToken: ['Only the token {token} may call this, not {caller}.', 'Call `approveAndCall` of the token.'],
  ApprovalRefused: ['{spender} refused the approval.', 'Check that it is a contract that takes approvals.'],
  NativeNotAccepted: ['This Hub holds a token: it refuses {amount} wei.', 'Deposit the token instead.'],
  NativeTransferFailed: ['{target} did not take {value} wei.', 'Withdraw to an account that accepts native currency.'],
  ValueNotTaken: [
    'The call {selector} takes nothing along, but {value} wei came.',
    'Send it without value; deposit by itself.',
  ],
  ValueTooSmall: [
    '{amount} is more than the {left} that is left of what came along.',
    'Send more, or lower the amounts.',
  ],
  UnsupportedOperation: ['Deposit-and-match cannot call {selector}.', 'Pass a call of `matchOrders`.'],
  CallerIsNotTheRequester: ['Only the requester may deposit for its own match.', 'Send it from the requester.'],
  OperationFailed: ['The match after the deposit failed without a reason.', 'Match alone to see why.'],
  // Administration and registries
  NotOwner: ['Only the owner {owner} may do this, not {caller}.', 'Send it from the owner.'],
  InvalidAddress: ['{value} cannot be used here.', 'Give the address of a contract.'],
  CategoryTooLong: ['A category cannot last {workClockTimeRef} seconds.', 'Choose less than 2^64 seconds.'],
  CallbackGasTooLarge: ['{callbackGas} gas for callbacks is too much.', 'Choose less than 2^96.'],
  Immutable: ['This Hub is fixed for ever: it refuses {selector}.', 'Deploy another Hub.'],
  NoPreviousHub: ['There is no older Hub to import the score of {worker} from.', 'Nothing needs to be done.'],
  UnknownFunction: ['The Hub has no function {selector}.', 'Check the ABI.'],
  AlreadyCreated: ['{entry} exists: the same owner made it with the same fields.', 'Use it, or change a field.'],
  AlreadyInitialized: ['The previous registry is {previous} for ever.', 'Nothing needs to be done.'],
  OperationNotSupported: ['The call exists for old clients only.', 'Leave it out.'],
  CallerIsNotTheOwner: ['Only the owner {owner} may do this, not {caller}.', 'Send it from the owner.'],
  CallerIsNotAWorkerpool: ['{caller} is no workerpool of this registry.', 'Use `changePolicy` of the workerpool.'],
  RewardRatioTooHigh: ['A scheduler cannot keep {ratio} %.', 'Choose at most {limit} %.'],
  FieldsTooLong: ['Fields of {length} bytes do not fit: {limit} is the limit.', 'Shorten the name or the location.'],
  RegistryIsFull: ['The registry holds its limit of {limit} entries.', 'Use another registry.'],
  FailedDeployment: ['The entry could not be created.', 'Send the transaction with more gas.'],
  ERC721IncorrectOwner: ['Token {tokenId} belongs to {owner}, not {sender}.', 'Send it from the owner.'],
  ERC721InsufficientApproval: ['{operator} may not move token {tokenId}.', 'Send it from the owner, or approve first.'],
  ERC721InvalidReceiver: ['{receiver} cannot receive the asset.', 'Transfer to an account that accepts ERC-721.'],
  ERC721NonexistentToken: ['There is no token {tokenId}.', 'Check the address and the chain.'],
  ERC721OutOfBoundsIndex: [
    'There is no token at place {index} of {owner}.',
    'Count first: `balanceOf` of the owner, `totalSupply` where the owner is zero.',
  ],
  OwnableUnauthorizedAccount: ['{account} is not the owner.', 'Send it from the owner.'],
  ERC2612ExpiredSignature: ['The permit expired at {deadline} (unix seconds).', 'Sign a new one.'],
  ERC2612InvalidSigner: ['The permit was signed by {signer}, not by {owner}.', 'Sign it with the key of the owner.'],
  BlobNotWritten: ['{length} bytes could not be written: {limit} is the limit.', 'Shorten them, or send more gas.'],
  // Built into Solidity
  Panic: ['The contract panicked with code {arg0}.', 'Report it: this should not be possible.'],
  Reason: ['The contract refused: {arg0}.', 'See the documentation of the contract.'],
}
