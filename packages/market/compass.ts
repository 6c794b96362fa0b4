import { type Address, zeroAddress } from '@sealdeal/protocol'
import type { App } from '@sealdeal/server'
import { z } from 'zod'
import { ForeignWorkerpoolError, NotFoundError } from './errors.ts'
import { requireLogin } from './login.ts'
import type { RoutesParameters } from './parameters.ts'
import { address, whole } from './wire.ts'

// The compass: where the API of a workerpool is, and which address a well-known app has. Published clients ask for both at
// an origin of their own option (`compassURL`), under the number of the chain; for what is not known they expect 404.

const apiUrl = z
  .string()
  .max(2_000)
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    error: 'must be a URL that begins with http:// or https://',
  })

export function addCompass(app: App, parameters: RoutesParameters): void {
  addPools(app, parameters)
  const params = z.object({ chainId: whole, name: z.string().max(100) })
  app.get('/:chainId/iapps/:name', { schema: { params } }, async ({ params }) => {
    const known = onThisChain(parameters, params.chainId) ? parameters.iapps.get(params.name) : undefined
    if (!known) throw new NotFoundError({ what: 'iapp' })
    return { ok: true, name: params.name, address: known }
  })
}

function onThisChain({ domain }: RoutesParameters, chainId: bigint): boolean {
  return chainId === domain.chainId
}

function addPools(app: App, parameters: RoutesParameters): void {
  const { database, marketplace, caughtUp } = parameters
  const path = '/:chainId/workerpools/:workerpool'
  const params = z.object({ chainId: whole, workerpool: address })

  app.get(path, { schema: { params } }, async ({ params: { chainId, workerpool } }) => {
    const [row] = onThisChain(parameters, chainId)
      ? await database.query<{ api_url: string }>(
          `select api_url from workerpool_api where workerpool = $1 and owner = (
             select owner from asset_transfer where asset = $1 order by block_number desc, log_index desc limit 1)`,
          [workerpool],
        )
      : []
    if (!row) throw new NotFoundError({ what: 'workerpool' })
    return { ok: true, workerpool, apiUrl: row.api_url }
  })

  const { schema, preValidation, accountOf } = requireLogin(parameters)
  const put = { params, body: z.object({ apiUrl }), ...schema }
  app.put(path, { schema: put, preValidation }, async (request) => {
    const { chainId, workerpool } = request.params
    const account = accountOf(request)
    const owner = onThisChain(parameters, chainId)
      ? ((await marketplace.workerpoolRegistry.registrantOf(workerpool)) as Address)
      : zeroAddress
    if (owner === zeroAddress) throw new NotFoundError({ what: 'workerpool' })
    if (owner !== account) throw new ForeignWorkerpoolError({ workerpool, owner })
    await caughtUp()
    await database.query(
      `insert into workerpool_api (workerpool, owner, api_url) values ($1, $2, $3)
       on conflict (workerpool) do update set owner = excluded.owner, api_url = excluded.api_url`,
      [workerpool, owner, request.body.apiUrl],
    )
    return { ok: true, workerpool, apiUrl: request.body.apiUrl }
  })
}
