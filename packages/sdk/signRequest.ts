import { SignedRequest } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import type { ServiceName } from './errors.ts'
import { address, type Call, originOf } from './http.ts'

/** What of a client it takes to sign for it. */
export type Signing = Pick<Client, 'signer' | 'chainId' | 'domain' | 'endpoints'>

/** Signs this very request: whoever sees the header cannot repeat it, nor use it for another one. */
export function signRequest(
  { signer, chainId, domain, ...client }: Signing,
  {
    service,
    method = 'GET',
    path,
    query = {},
    body = '',
  }: Pick<Call, 'method' | 'path' | 'query'> & { service: ServiceName; body?: string },
): Promise<string> {
  const url = address(originOf(client, service), { path, query })
  const hub = domain.verifyingContract
  return SignedRequest.sign({
    signer,
    domain: { chainId, hub, service },
    method,
    path: url.pathname + url.search,
    body,
  })
}
