import {
  type Address,
  BaseError,
  connectDataProtector,
  connectMarketplace,
  type DataProtector,
  type Marketplace,
  Order,
} from '@sealdeal/protocol'
import { getAddress, JsonRpcProvider, type Provider, type Signer } from 'ethers'

/** Origins of the services, e.g. `http://127.0.0.1:3000`. */
export type Endpoints = {
  market: string
  sms: string
  storage: string
  /** Of a task's workerpool; the market is asked where it is absent. */
  scheduler?: string
  /** JSON-RPC of the chain; needed only when the signer brings no provider. */
  chain?: string
}

/** What every verb needs: who acts, on which Hub, through which services. */
export type Client = {
  signer: Signer
  provider: Provider
  /** Account of the signer. */
  account: Address
  chainId: bigint
  /** EIP-712 domain of orders. */
  domain: Order.Domain
  contracts: Marketplace
  dataProtector: DataProtector | undefined
  endpoints: Endpoints
  /** Milliseconds between two looks at the chain while waiting. */
  pollingInterval: number
}

/**
 * Connects a signer to a Hub and its services. Asks the chain for its id and for the contracts of the Hub.
 *
 * @example
 * const client = await createClient({ signer, hub, dataProtector, endpoints: { market, sms, storage } })
 */
export async function createClient({
  signer,
  hub,
  endpoints,
  dataProtector,
  pollingInterval = 200,
}: {
  signer: Signer
  hub: Address
  endpoints: Endpoints
  dataProtector?: Address | undefined
  pollingInterval?: number
}): Promise<Client> {
  for (const [name, url] of Object.entries(endpoints)) checkOrigin(name, url)
  const connected = connect(signer, endpoints.chain)
  const provider = connected.provider
  if (provider === null) {
    throw new BaseError('The signer is not connected to a chain.', {
      metaMessages: ['Give `endpoints.chain`, or a signer with a provider.'],
    })
  }
  const [account, { chainId }, contracts] = await Promise.all([
    connected.getAddress(),
    provider.getNetwork(),
    connectMarketplace(hub, connected),
  ])
  return {
    signer: connected,
    provider,
    account: getAddress(account) as Address,
    chainId,
    domain: Order.domain({ chainId, hub }),
    contracts,
    dataProtector: dataProtector === undefined ? undefined : connectDataProtector(dataProtector, connected),
    endpoints,
    pollingInterval,
  }
}

function connect(signer: Signer, chain: string | undefined): Signer {
  if (signer.provider !== null || chain === undefined) return signer
  // Answers are not cached: whoever waits for a block must not be told of the one before.
  return signer.connect(new JsonRpcProvider(chain, undefined, { cacheTimeout: -1 }))
}

/** Published services live at the root of an origin: a path would be dropped without a word. */
function checkOrigin(name: string, url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed !== undefined && /^https?:$/.test(parsed.protocol) && (name === 'chain' || parsed.pathname === '/')) return
  throw new BaseError(`\`endpoints.${name}\` must be an http(s) origin without a path, not "${url}".`)
}
