import {
  Contract,
  type ContractRunner,
  type EventFragment,
  getAddress,
  Interface,
  type JsonFragment,
  LogDescription,
  zeroPadValue,
} from 'ethers'
import { IApp__factory } from '../../typechain-types/factories/interfaces/IApp__factory.ts'
import { IAppRegistry__factory } from '../../typechain-types/factories/interfaces/IAppRegistry__factory.ts'
import { ICallbackRelay__factory } from '../../typechain-types/factories/interfaces/ICallbackRelay__factory.ts'
import { IDataProtector__factory } from '../../typechain-types/factories/interfaces/IDataProtector__factory.ts'
import { IDataset__factory } from '../../typechain-types/factories/interfaces/IDataset__factory.ts'
import { IDatasetRegistry__factory } from '../../typechain-types/factories/interfaces/IDatasetRegistry__factory.ts'
import { IERC734__factory } from '../../typechain-types/factories/interfaces/IERC734__factory.ts'
import { IHub__factory } from '../../typechain-types/factories/interfaces/IHub__factory.ts'
import { IHubNative__factory } from '../../typechain-types/factories/interfaces/IHubNative__factory.ts'
import { ILocalToken__factory } from '../../typechain-types/factories/interfaces/ILocalToken__factory.ts'
import { IWorkerpool__factory } from '../../typechain-types/factories/interfaces/IWorkerpool__factory.ts'
import { IWorkerpoolRegistry__factory } from '../../typechain-types/factories/interfaces/IWorkerpoolRegistry__factory.ts'
import type { IApp } from '../../typechain-types/interfaces/IApp.ts'
import type { IAppRegistry } from '../../typechain-types/interfaces/IAppRegistry.ts'
import type { ICallbackRelay } from '../../typechain-types/interfaces/ICallbackRelay.ts'
import type { IDataProtector } from '../../typechain-types/interfaces/IDataProtector.ts'
import type { IDataset } from '../../typechain-types/interfaces/IDataset.ts'
import type { IDatasetRegistry } from '../../typechain-types/interfaces/IDatasetRegistry.ts'
import type { IERC734 } from '../../typechain-types/interfaces/IERC734.ts'
import type { IHub } from '../../typechain-types/interfaces/IHub.ts'
import type { IHubNative } from '../../typechain-types/interfaces/IHubNative.ts'
import type { IWorkerpool } from '../../typechain-types/interfaces/IWorkerpool.ts'
import type { IWorkerpoolRegistry } from '../../typechain-types/interfaces/IWorkerpoolRegistry.ts'
import type { LocalToken } from '../../typechain-types/token/LocalToken.ts'
import type { Address } from './hex.ts'
import { tolerant } from './Text.ts'

// The interfaces, not the contracts: their ABIs are whole, and they bring no bytecode into a browser.

export type Hub = IHub
/** A Hub whose escrow holds the chain's own currency. */
export type HubNative = IHubNative
export type AppRegistry = IAppRegistry
export type DatasetRegistry = IDatasetRegistry
export type WorkerpoolRegistry = IWorkerpoolRegistry
export type App = IApp
export type Dataset = IDataset
export type Workerpool = IWorkerpool
export type DataProtector = IDataProtector
export type CallbackRelay = ICallbackRelay
/** ERC-734: whom a group admits. */
export type Group = IERC734
/** The payment token: ERC-20 with `approveAndCall`. */
export type Token = Pick<
  LocalToken,
  | 'getAddress'
  | 'balanceOf'
  | 'decimals'
  | 'symbol'
  | 'transfer'
  | 'approve'
  | 'allowance'
  | 'approveAndCall'
  | 'interface'
>

type Runner = ContractRunner | null | undefined

const hubInterface = tolerant(IHub__factory.abi)

export function connectHub(address: Address, runner?: Runner): Hub {
  return new Contract(address, hubInterface, runner) as unknown as Hub
}

export function connectHubNative(address: Address, runner?: Runner): HubNative {
  return IHubNative__factory.connect(address, runner)
}

export function connectAppRegistry(address: Address, runner?: Runner): AppRegistry {
  return IAppRegistry__factory.connect(address, runner)
}

export function connectDatasetRegistry(address: Address, runner?: Runner): DatasetRegistry {
  return IDatasetRegistry__factory.connect(address, runner)
}

export function connectWorkerpoolRegistry(address: Address, runner?: Runner): WorkerpoolRegistry {
  return IWorkerpoolRegistry__factory.connect(address, runner)
}

export function connectApp(address: Address, runner?: Runner): App {
  return IApp__factory.connect(address, runner)
}

export function connectDataset(address: Address, runner?: Runner): Dataset {
  return IDataset__factory.connect(address, runner)
}

export function connectWorkerpool(address: Address, runner?: Runner): Workerpool {
  return IWorkerpool__factory.connect(address, runner)
}

export function connectDataProtector(address: Address, runner?: Runner): DataProtector {
  return IDataProtector__factory.connect(address, runner)
}

export function connectCallbackRelay(address: Address, runner?: Runner): CallbackRelay {
  return ICallbackRelay__factory.connect(address, runner)
}

export function connectGroup(address: Address, runner?: Runner): Group {
  return IERC734__factory.connect(address, runner)
}

/** Of an ERC-734 group: may be party to a deal. */
const groupMemberPurpose = 4n

/** Asks each group once whether it admits the candidate; whoever cannot answer refuses. */
export async function readMembership(
  runner: Runner,
  questions: readonly { group: Address; candidate: Address }[],
): Promise<(group: Address, candidate: Address) => boolean> {
  const keyOf = (group: Address, candidate: Address) => `${group}${candidate}`.toLowerCase()
  const unique = new Map(questions.map((question) => [keyOf(question.group, question.candidate), question]))
  const answers = await Promise.all(
    [...unique].map(async ([key, { group, candidate }]) => {
      const asked = connectGroup(group, runner).keyHasPurpose(zeroPadValue(candidate, 32), groupMemberPurpose)
      return [key, await asked.catch(() => false)] as const
    }),
  )
  const members = new Map(answers)
  return (group, candidate) => members.get(keyOf(group, candidate)) === true
}

const tokenAbi = [
  ...ILocalToken__factory.abi,
  'function name() view returns (string)',
  'function symbol() view returns (string)',
  'function decimals() view returns (uint8)',
  'function totalSupply() view returns (uint256)',
  'function balanceOf(address account) view returns (uint256)',
  'function allowance(address owner, address spender) view returns (uint256)',
  'function approve(address spender, uint256 value) returns (bool)',
  'function transfer(address to, uint256 value) returns (bool)',
  'function transferFrom(address from, address to, uint256 value) returns (bool)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event Approval(address indexed owner, address indexed spender, uint256 value)',
]

/** Errors of the libraries that the contracts are built on: the interfaces do not list them. */
const libraryErrors = [
  'error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)',
  'error ERC721InsufficientApproval(address operator, uint256 tokenId)',
  'error ERC721InvalidReceiver(address receiver)',
  'error ERC721NonexistentToken(uint256 tokenId)',
  'error ERC721OutOfBoundsIndex(address owner, uint256 index)',
  'error OwnableUnauthorizedAccount(address account)',
  'error FieldsTooLong(uint256 length, uint256 limit)',
  'error RegistryIsFull(uint256 limit)',
  'error FailedDeployment()',
  'error ERC2612ExpiredSignature(uint256 deadline)',
  'error ERC2612InvalidSigner(address signer, address owner)',
]

export function connectToken(address: Address, runner?: Runner): Token {
  return new Contract(address, tokenAbi, runner) as unknown as Token
}

/** What each contract is called by. */
export const abis = {
  hub: IHub__factory.abi,
  hubNative: IHubNative__factory.abi,
  token: JSON.parse(Interface.from(tokenAbi).formatJson()) as JsonFragment[],
  appRegistry: IAppRegistry__factory.abi,
  datasetRegistry: IDatasetRegistry__factory.abi,
  workerpoolRegistry: IWorkerpoolRegistry__factory.abi,
  dataProtector: IDataProtector__factory.abi,
  callbackRelay: ICallbackRelay__factory.abi,
}

export type Marketplace = {
  hub: Hub
  token: Token
  appRegistry: AppRegistry
  datasetRegistry: DatasetRegistry
  workerpoolRegistry: WorkerpoolRegistry
}

/** The Hub and the contracts it names, which are fixed for ever. Asks the chain once for their addresses. */
export async function connectMarketplace(hubAddress: Address, runner: ContractRunner): Promise<Marketplace> {
  const hub = connectHub(hubAddress, runner)
  const [token, appRegistry, datasetRegistry, workerpoolRegistry] = await Promise.all([
    hub.token(),
    hub.appregistry(),
    hub.datasetregistry(),
    hub.workerpoolregistry(),
  ])
  return {
    hub,
    token: connectToken(getAddress(token) as Address, runner),
    appRegistry: connectAppRegistry(getAddress(appRegistry) as Address, runner),
    datasetRegistry: connectDatasetRegistry(getAddress(datasetRegistry) as Address, runner),
    workerpoolRegistry: connectWorkerpoolRegistry(getAddress(workerpoolRegistry) as Address, runner),
  }
}

/** Every ABI of the protocol in one, once per fragment: for logs and reverts of a transaction that touches several. */
export const everything = new Interface(
  [
    IHub__factory.abi,
    IHubNative__factory.abi,
    IAppRegistry__factory.abi,
    IDatasetRegistry__factory.abi,
    IWorkerpoolRegistry__factory.abi,
    IWorkerpool__factory.abi,
    IDataProtector__factory.abi,
    ICallbackRelay__factory.abi,
    tokenAbi,
    libraryErrors,
  ]
    .flatMap((abi) => Interface.from(abi).fragments)
    .filter((fragment, index, all) => all.findIndex((other) => other.format() === fragment.format()) === index),
)

const parseRegistryLog = logParser(IDatasetRegistry__factory.createInterface())
const parseAnyLog = logParser(everything)

/** An `Interface` hashes the name of each of its events anew for every log: here that is done once. */
function logParser(abi: Interface) {
  const events = new Map<string, EventFragment>()
  abi.forEachEvent((event) => {
    if (!events.has(event.topicHash)) events.set(event.topicHash, event)
  })
  return ({ topics, data }: { topics: readonly string[]; data: string }): LogDescription | null => {
    const [topic = ''] = topics
    const event = events.get(topic)
    return event ? new LogDescription(event, topic, abi.decodeEventLog(event, data, topics)) : null
  }
}

/**
 * The event of a log, or `null` when none of our contracts has it. Tokens of both kinds call an event `Transfer`: with a
 * token id among its topics it is a registry's, with an amount as data it is of the payment token or of the escrow.
 */
export function parseLog(log: { topics: readonly string[]; data: string }): LogDescription | null {
  return (log.topics.length === 4 ? parseRegistryLog(log) : null) ?? parseAnyLog(log)
}
