import { InvalidValueError } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { type ServiceName, ServiceRefusedError, ServiceUnavailableError } from './errors.ts'

export type Call = {
  service: ServiceName
  path: string
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  query?: Record<string, string | number | bigint | boolean | undefined>
  headers?: Record<string, string>
  body?: string | FormData
  /** Statuses that the caller handles itself. */
  expect?: number[]
  signal?: AbortSignal
}

/**
 * One HTTP call of a service.
 *
 * @throws ServiceUnavailableError when it cannot be reached or fails, ServiceRefusedError when it says no.
 */
export async function call(client: Pick<Client, 'endpoints'>, request: Call): Promise<Response> {
  const { service, method = 'GET', headers = {}, body, expect = [], signal } = request
  const origin = originOf(client, service)
  const response = await fetch(address(origin, request), {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause
    throw new ServiceUnavailableError({ service, url: origin, cause })
  })
  if (response.ok || expect.includes(response.status)) return response
  // An unread body would keep the connection busy.
  const text = await response.text().catch(() => '')
  if (response.status >= 500) throw new ServiceUnavailableError({ service, url: origin, status: response.status })
  const { error, remedies } = explanation(text)
  const reason = error ?? `status ${response.status} ${response.statusText}`
  throw new ServiceRefusedError({ service, status: response.status, reason, remedies })
}

/** Same, for an answer in JSON. */
export async function callJson(client: Pick<Client, 'endpoints'>, request: Call): Promise<Record<string, unknown>> {
  const response = await call(client, request)
  const json: unknown = await response.json().catch(() => undefined)
  if (typeof json === 'object' && json !== null) return json as Record<string, unknown>
  throw new ServiceRefusedError({ service: request.service, status: response.status, reason: 'its answer is not JSON' })
}

/** Where a service is: every client names all but the scheduler, which its verbs find out. */
export function originOf({ endpoints }: Pick<Client, 'endpoints'>, service: ServiceName): string {
  const origin = endpoints[service]
  if (origin !== undefined) return origin
  throw new InvalidValueError({ path: `endpoints.${service}`, expected: 'an http(s) origin', value: origin })
}

/** Where a call goes. */
export function address(origin: string, { path, query = {} }: Pick<Call, 'path' | 'query'>): URL {
  const url = new URL(path, origin)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

function explanation(text: string): { error?: string; remedies: string[] } {
  try {
    const { error, remedies } = JSON.parse(text) as { error?: unknown; remedies?: unknown }
    const listed = Array.isArray(remedies) ? remedies.map(String) : []
    return typeof error === 'string' ? { error, remedies: listed } : { remedies: listed }
  } catch {
    return { remedies: [] }
  }
}
