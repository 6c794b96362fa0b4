import { chainVariables, commonVariables, databaseVariables, variable } from '@sealdeal/server'
import { z } from 'zod'

/** Environment of the result-callback service. */
export const schema = z.object({
  ...commonVariables,
  ...chainVariables,
  ...databaseVariables,
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
  /** Requests of one network address per minute; unlimited when unset. */
  REQUESTS_PER_MINUTE: variable.number(1, 1_000_000).optional(),
})

export type Config = z.output<typeof schema>
