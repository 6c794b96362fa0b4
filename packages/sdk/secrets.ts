import { type Address, Bytes, InvalidValueError, Result, Secret } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { SecretExistsError } from './errors.ts'
import { call } from './http.ts'
import { signRequest } from './signRequest.ts'

type Place = { path: string; query?: Record<string, string> }

/** Stores the key of protected data. Once for ever; only the owner may. */
export async function pushDatasetKey(client: Client, { dataset, key }: { dataset: Address; key: string }) {
  const place = { path: '/secrets/web3', query: { secretAddress: dataset } }
  await create(client, place, { address: dataset, value: key }, `dataset ${dataset}`)
}

/** Stores the developer's secret of an app. Once for ever; only the owner may. */
export async function pushAppSecret(client: Client, { app, secret }: { app: Address; secret: string }) {
  const named = { address: app, name: Secret.appSecretName, value: secret }
  await create(client, { path: `/apps/${app}/secrets` }, named, `app ${app}`)
}

/** Stores a secret that the account may hand to apps by its name. Once for ever. */
export async function pushRequesterSecret(client: Client, { name, secret }: { name: string; secret: string }) {
  if (!Secret.requesterName.test(name)) {
    throw new InvalidValueError({ path: 'name', expected: '1 to 64 of the characters 0-9 A-Z a-z _ -', value: name })
  }
  const place = { path: `/requesters/${client.account}/secrets/${name}` }
  await create(client, place, { address: client.account, name, value: secret }, `${client.account} under "${name}"`)
}

/**
 * Stores the public key (PEM) to which results for this account are encrypted, in place of an earlier one: results of
 * tasks that have not run yet will be encrypted to the new key.
 */
export async function pushResultKey(client: Client, { publicKey }: { publicKey: string }) {
  const name = Secret.reserved.resultKey
  const place = { path: '/secrets/web2', query: { ownerAddress: client.account, secretName: name } }
  const secret = { address: client.account, name, value: Result.encodePublicKey(publicKey) }
  await store(client, place, secret, (await exists(client, place)) ? 'PUT' : 'POST')
}

/** Whether the key of protected data is stored. */
export async function hasDatasetKey(client: Client, { dataset }: { dataset: Address }): Promise<boolean> {
  return exists(client, { path: '/secrets/web3', query: { secretAddress: dataset } })
}

/** Refuses what the secret service would refuse, before anything is signed. The value is never repeated. */
export function checkSecret(path: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '' || !value.isWellFormed()) {
    throw new InvalidValueError({ path, expected: 'a text that is not empty', value: '…' })
  }
  if (Bytes.fromUtf8(value).length > Secret.maxBytes) {
    throw new InvalidValueError({ path, expected: `a text of at most ${Secret.maxBytes} bytes`, value: '…' })
  }
}

async function exists(client: Client, { path, query = {} }: Place): Promise<boolean> {
  const response = await call(client, { service: 'sms', path, query, method: 'HEAD', expect: [404] })
  return response.status !== 404
}

type Named = { address: Address; name?: string; value: string }

async function create(client: Client, place: Place, secret: Named, what: string): Promise<void> {
  checkSecret('secret', secret.value)
  const status = await store(client, place, secret, 'POST')
  if (status === 409) throw new SecretExistsError({ what })
}

async function store(client: Client, { path, query = {} }: Place, secret: Named, method: 'POST' | 'PUT') {
  const body = secret.value
  const authorization = await signRequest(client, { service: 'sms', path, query, method, body })
  const headers = { authorization, 'content-type': 'text/plain' }
  return (await call(client, { service: 'sms', path, query, method, headers, body, expect: [409] })).status
}

/** Deletes the key of protected data, for ever: no enclave gets it any more, nobody reads the data any more. */
export async function deleteDatasetKey(client: Client, { dataset }: { dataset: Address }): Promise<void> {
  await remove(client, { path: '/secrets/web3', query: { secretAddress: dataset } })
}

/** Deletes the developer's secret of an app, for ever: the app does not run without it any more. */
export async function deleteAppSecret(client: Client, { app }: { app: Address }): Promise<void> {
  await remove(client, { path: `/apps/${app}/secrets` })
}

/** Deletes a secret that the account stored under a name; another may be stored there. */
export async function deleteRequesterSecret(client: Client, { name }: { name: string }): Promise<void> {
  await remove(client, { path: `/requesters/${client.account}/secrets/${name}` })
}

/** Deletes the key to which results are encrypted: runs that ask for encryption wait for another. */
export async function deleteResultKey(client: Client): Promise<void> {
  const query = { ownerAddress: client.account, secretName: Secret.reserved.resultKey }
  await remove(client, { path: '/secrets/web2', query })
}

/** @throws ServiceRefusedError where there is none, or it is somebody else's. */
async function remove(client: Client, { path, query = {} }: Place): Promise<void> {
  const authorization = await signRequest(client, { service: 'sms', path, query, method: 'DELETE' })
  await call(client, { service: 'sms', path, query, method: 'DELETE', headers: { authorization } })
}
