import { chainVariables, commonVariables, databaseVariables, httpVariables, variable } from '@sealdeal/server'
import { parseUnits } from 'ethers'
import { z } from 'zod'

const consumers = z.string().transform((text, context) => {
  if (text === 'any') return 'any' as const
  const parsed = z.array(variable.address).safeParse(text.split(',').map((part) => part.trim()))
  if (parsed.success) return parsed.data
  context.addIssue({ code: 'custom', message: 'must be "any", or addresses separated by commas' })
  return z.NEVER
})

const variables = z.object({
  ...commonVariables,
  ...chainVariables,
  ...databaseVariables,
  ...httpVariables,
  /** First block to read: the one the Hub was deployed in. */
  START_BLOCK: variable.number(0, Number.MAX_SAFE_INTEGER).default(0),
  /** Milliseconds between looks at the head of the chain. */
  FOLLOW_INTERVAL: variable.number(10, 60_000).default(250),
  /** Blocks that must follow an event's block before it is told. */
  CONFIRMATIONS: variable.number(0, 10_000).default(3),
  /** Encrypts the subscriptions' secrets. */
  CALLBACKS_MASTER_KEY_FILE: variable.path,
  /** Receivers may be on this machine or in a private network, without TLS: for laptops. */
  ALLOW_PRIVATE_TARGETS: variable.flag.default(false),
  /** Ask the node for traces, to learn which callback contracts failed: it must answer `debug_traceTransaction`. */
  TRACE_CALLBACKS: variable.flag.default(false),
  /** How long a receiver may take to answer. */
  REQUEST_TIMEOUT_MS: variable.number(50, 60_000).default(10_000),
  /** The pause after the first failure; each further one is twice as long, an hour at most. */
  RETRY_MS: variable.number(1, 3_600_000).default(1_000),
  /** How long a delivery is tried before it is parked. */
  RETRY_SECONDS: variable.number(1, 2_592_000).default(86_400),
  /** Deliveries under way at once, each to another subscription. */
  CONCURRENCY: variable.number(1, 1_000).default(16),
  /** Subscriptions of one wallet. */
  MAX_SUBSCRIPTIONS: variable.number(1, 100_000).default(20),
  /** The `CallbackRelay` on this chain: results that contracts wait for are delivered again. Unset: nothing is sent. */
  CALLBACK_RELAY_ADDRESS: variable.address.optional(),
  /** Pays for the gas of these deliveries. */
  WALLET_KEY_FILE: variable.path.optional(),
  /** Whose results are delivered: `any` contract that waits, or addresses. */
  RELAYED_CONSUMERS: consumers.default('any'),
  /** The most that one delivery may use, in units of gas. */
  RELAY_GAS_LIMIT: variable.number(21_000, 1_000_000_000).default(2_000_000),
  /** The most that all deliveries of 24 hours may use, in units of gas. */
  RELAY_DAY_GAS: variable.number(21_000, Number.MAX_SAFE_INTEGER).default(100_000_000),
  /** Gwei per gas: never more is paid, deliveries wait until it is cheaper. */
  HIGHEST_FEE_GWEI: variable
    .number(1, 1_000_000)
    .default(1_000)
    .transform((gwei) => parseUnits(String(gwei), 'gwei')),
})

/** Environment of the result-callback service. */
export const schema = variables.superRefine((config, context) => {
  const { CALLBACK_RELAY_ADDRESS: relay, WALLET_KEY_FILE: key } = config
  if ((relay === undefined) === (key === undefined)) return
  const path = [relay === undefined ? 'CALLBACK_RELAY_ADDRESS' : 'WALLET_KEY_FILE']
  context.addIssue({ code: 'custom', path, message: 'must be set: relaying needs both, the contract and a key' })
})

export type Config = z.output<typeof schema>
