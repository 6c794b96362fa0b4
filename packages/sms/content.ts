import { type Address, type Deal, type Hex, Params, Secret, type Session, zeroAddress } from '@sealdeal/protocol'
import type { BulkList } from './bulkList.ts'
import type { AppEntry, Chain } from './chain.ts'
import { collectDatasets } from './datasets.ts'
import { RequesterSecretNotFoundError, RequestUnreadableError, ResultKeyNotFoundError } from './errors.ts'
import type { Secrets } from './secrets.ts'

/**
 * Everything that one task's enclave is given, and nothing else: the deal says which data, app, requester and
 * beneficiary, its signed `params` say which of the requester's secrets.
 *
 * @throws RequesterSecretNotFoundError ResultKeyNotFoundError RequestUnreadableError, and what {@link collectDatasets} throws
 */
export async function collectContent({
  chain,
  secrets,
  bulkList,
  request,
  taskId,
  deal,
  app,
  maxSeconds,
}: {
  chain: Chain
  secrets: Secrets
  bulkList: BulkList
  request: { dealId: Hex; index: bigint; worker: Address }
  taskId: Hex
  deal: Deal.Deal
  app: AppEntry
  maxSeconds: number
}): Promise<Session.Content> {
  const { dealId, index, worker } = request
  const params = readParams({ dealId, text: deal.params })
  const appSecret = await secrets.read({ kind: 'app', owner: deal.app.pointer })
  const data = await collectDatasets({ chain, secrets, bulkList }, { taskId, dealId, index, deal, params })
  const requester = await collectRequesterSecrets({ secrets, requester: deal.requester, names: params.secrets ?? {} })
  const resultKey = await collectResultKey({ secrets, deal, isNeeded: params.encryptResult === true })
  return {
    chainId: chain.chainId.toString(),
    hub: chain.hub,
    dealId,
    index: index.toString(),
    taskId,
    worker,
    requester: deal.requester,
    beneficiary: deal.beneficiary,
    callback: deal.callback,
    tag: deal.tag,
    maxSeconds,
    botFirst: deal.botFirst.toString(),
    botSize: deal.botSize.toString(),
    app: { address: deal.app.pointer, type: app.type, multiaddr: app.multiaddr, checksum: app.checksum },
    ...data,
    params: deal.params,
    secrets: { ...(appSecret === undefined ? {} : { app: appSecret }), requester },
    ...(resultKey === undefined ? {} : { resultKey }),
  }
}

function readParams({ dealId, text }: { dealId: Hex; text: string }): Params.Params {
  try {
    return Params.parse(text)
  } catch (error) {
    throw new RequestUnreadableError({ dealId, reason: error instanceof Error ? error.message : String(error) })
  }
}

async function collectRequesterSecrets({
  secrets,
  requester,
  names,
}: {
  secrets: Secrets
  requester: Address
  names: Record<string, string>
}): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const [number, name] of Object.entries(names)) {
    const value = await secrets.read({ kind: 'requester', owner: requester, name })
    if (value === undefined) throw new RequesterSecretNotFoundError({ requester, name })
    found[number] = value
  }
  return found
}

/** What the app prints is sealed to it also where the result is not. */
async function collectResultKey({
  secrets,
  deal,
  isNeeded,
}: {
  secrets: Secrets
  deal: Deal.Deal
  isNeeded: boolean
}): Promise<string | undefined> {
  const beneficiary = deal.beneficiary === zeroAddress ? deal.requester : deal.beneficiary
  const key = await secrets.read({ kind: 'account', owner: beneficiary, name: Secret.reserved.resultKey })
  if (key === undefined && isNeeded) throw new ResultKeyNotFoundError({ beneficiary })
  return key
}
