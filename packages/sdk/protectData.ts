import {
  type Address,
  BaseError,
  Checksum,
  type Hex,
  InvalidValueError,
  Locator,
  ProtectedData,
} from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { KeyNotPushedError } from './errors.ts'
import { pushDatasetKey } from './secrets.ts'
import { events, send } from './send.ts'
import { type OnStatus, step } from './status.ts'
import { upload, uploadToArweave } from './upload.ts'

export type ProtectDataParameters = {
  /** Strings, numbers, bigints, booleans, files, and objects of these. */
  data: ProtectedData.Data
  /** Shown to everybody. */
  name?: string
  /** Where the ciphertext is stored: by its content (the default), or by a URL as Arweave gives them. */
  uploadMode?: 'ipfs' | 'arweave'
  onStatus?: OnStatus
}

export type ProtectDataReturnType = {
  address: Address
  name: string
  owner: Address
  schema: ProtectedData.Schema
  /** The data key: the owner may keep it, nobody else ever gets it but an enclave in a deal. */
  key: string
  /** Of the ciphertext; where it was stored by its content. */
  cid?: string
  /** Where it was stored as on Arweave. */
  arweaveId?: string
  /** As written on chain. */
  multiaddr: Hex
  /** sha256 of the encrypted bytes, as written on chain. */
  checksum: Hex
  /** Length of the encrypted bytes. */
  size: number
  transactionHash: Hex
}

/**
 * Protects data: encrypts it here, stores the ciphertext, makes the owner's token, and gives the key to the secret
 * service. Refuses unusable data before anything is sent.
 *
 * @throws InvalidValueError naming the path; KeyNotPushedError (with `resume()`) when only the last step failed.
 *
 * @example
 * const { address } = await protectData(client, { name: 'records', data: { email: 'a@b.c', scan: file } })
 */
export async function protectData(
  client: Client,
  parameters: ProtectDataParameters & { uploadMode?: 'ipfs' },
): Promise<ProtectDataReturnType & { cid: string }>
export async function protectData(client: Client, parameters: ProtectDataParameters): Promise<ProtectDataReturnType>
export async function protectData(
  client: Client,
  { data, name = '', uploadMode = 'ipfs', onStatus }: ProtectDataParameters,
): Promise<ProtectDataReturnType> {
  ProtectedData.check(data)
  if (typeof name !== 'string') throw new InvalidValueError({ path: 'name', expected: 'a text', value: name })
  if (uploadMode !== 'ipfs' && uploadMode !== 'arweave') {
    throw new InvalidValueError({ path: 'uploadMode', expected: '"ipfs" or "arweave"', value: uploadMode })
  }
  const dataProtector = expectDataProtector(client)

  const schema = await step(onStatus, 'EXTRACT_DATA_SCHEMA', () => ProtectedData.inferSchema(data))
  const zip = await step(onStatus, 'CREATE_ZIP_FILE', () => ProtectedData.pack(data))
  const key = await step(onStatus, 'CREATE_ENCRYPTION_KEY', () => ProtectedData.generateKey())

  const meter = Checksum.meter()
  const encrypted = await step(onStatus, 'ENCRYPT_FILE', () => {
    const sealed = zip.pipeThrough(ProtectedData.encryption({ key })).pipeThrough(meter.stream)
    return new Response(sealed).blob()
  })
  const checksum = meter.digest()

  const stored = await step(
    onStatus,
    'UPLOAD_ENCRYPTED_FILE',
    async () =>
      uploadMode === 'ipfs'
        ? { cid: await upload(client, encrypted) }
        : { arweaveId: await uploadToArweave(client, encrypted) },
    (stored) => stored,
  )
  const url = (id: string) => new URL(`/${id}`, client.endpoints.storage).href
  const multiaddr = Locator.toBytes(stored.cid === undefined ? { url: url(stored.arweaveId) } : { cid: stored.cid })

  const { address, transactionHash } = await step(
    onStatus,
    'DEPLOY_PROTECTED_DATA',
    async () => {
      const json = JSON.stringify(schema)
      const sending = dataProtector.createDatasetWithSchema(client.account, name, json, multiaddr, checksum)
      const receipt = await send(client, sending)
      const created = events(receipt).find((event) => event.name === 'DatasetSchema')
      return { address: created?.args.dataset as Address, transactionHash: receipt.hash as Hex }
    },
    (created) => ({ ...created, owner: client.account }),
  )

  const push = () => pushDatasetKey(client, { dataset: address, key })
  await step(onStatus, 'PUSH_SECRET_TO_SMS', () =>
    push().catch((cause: unknown) => {
      throw new KeyNotPushedError({ protectedData: address, resume: push, cause })
    }),
  )
  const size = meter.length()
  return { address, name, owner: client.account, schema, key, ...stored, multiaddr, checksum, size, transactionHash }
}

function expectDataProtector({ dataProtector }: Client) {
  if (dataProtector !== undefined) return dataProtector
  throw new BaseError('The client does not know the DataProtector contract.', {
    metaMessages: ['Give `dataProtector` to `createClient`.'],
  })
}
