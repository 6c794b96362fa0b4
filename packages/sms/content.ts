import { type Address, type Deal, type Hex, Params, Secret, type Session, zeroAddress } from '@sealdeal/protocol'
import type { AppEntry, Chain } from './chain.ts'
import {
  DatasetKeyNotFoundError,
  RequesterSecretNotFoundError,
  RequestUnreadableError,
  ResultKeyNotFoundError,
} from './errors.ts'
import type { Secrets } from './secrets.ts'

/**
 * Everything that one task's enclave is given, and nothing else: the deal says which dataset, app, requester and
 * beneficiary, its signed `params` say which of the requester's secrets.
 *
 * @throws DatasetKeyNotFoundError RequesterSecretNotFoundError ResultKeyNotFoundError RequestUnreadableError
 */
export async function collectContent({
  chain,
  secrets,
  request,
  taskId,
  deal,
  app,
  maxSeconds,
}: {
  chain: Chain
  secrets: Secrets
  request: { dealId: Hex; index: bigint; worker: Address }
  taskId: Hex
  deal: Deal.Deal
  app: AppEntry
  maxSeconds: number
}): Promise<Session.Content> {
  const { dealId, index, worker } = request
  const params = readParams({ dealId, text: deal.params })
  const appSecret = await secrets.read({ kind: 'app', owner: deal.app.pointer })
  const dataset = await collectDataset({ chain, secrets, dataset: deal.dataset.pointer })
  const requester = await collectRequesterSecrets({ secrets, requester: deal.requester, names: params.secrets ?? {} })
  const resultKey = params.encryptResult ? await collectResultKey({ secrets, deal }) : undefined
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
    ...(dataset ? { dataset } : {}),
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

/** The dataset of the deal's own record: the match was the grant, and no other dataset can be named. */
async function collectDataset({
  chain,
  secrets,
  dataset,
}: {
  chain: Chain
  secrets: Secrets
  dataset: Address
}): Promise<Session.Content['dataset']> {
  if (dataset === zeroAddress) return undefined
  const key = await secrets.read({ kind: 'dataset', owner: dataset })
  if (key === undefined) throw new DatasetKeyNotFoundError({ dataset })
  const { multiaddr, checksum } = await chain.viewDataset(dataset)
  return { address: dataset, multiaddr, checksum, key }
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

async function collectResultKey({ secrets, deal }: { secrets: Secrets; deal: Deal.Deal }): Promise<string> {
  const beneficiary = deal.beneficiary === zeroAddress ? deal.requester : deal.beneficiary
  const key = await secrets.read({ kind: 'account', owner: beneficiary, name: Secret.reserved.resultKey })
  if (key === undefined) throw new ResultKeyNotFoundError({ beneficiary })
  return key
}
