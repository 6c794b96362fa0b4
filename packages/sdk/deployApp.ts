import { type Address, type Archive, Bundle, Bytes, type Hex, InvalidValueError, Locator } from '@sealdeal/protocol'
import { getAddress } from 'ethers'
import type { Client } from './client.ts'
import { events, send } from './send.ts'
import { upload } from './upload.ts'

export type DeployAppParameters = {
  /** Shown to everybody. */
  name: string
  owner?: Address
} & (
  | {
      /** The app's files with their `iapp.json`, or a bundle made of them. */
      bundle: Archive.Files | Uint8Array
    }
  | {
      /** A container image. */
      image: string
      /** sha256 digest of the image. */
      checksum: Hex
    }
)

export type DeployAppReturnType = { app: Address; checksum: Hex; multiaddr: Hex; transactionHash: Hex }

/**
 * Registers an app: stores its bundle, and makes the owner's token with the checksum that enclaves will measure. Apps of
 * both kinds carry no MREnclave: what identifies them is the checksum.
 *
 * @throws InvalidValueError when the bundle has no entry point; ContractRevertError `AlreadyCreated` for the same app.
 */
export async function deployApp(client: Client, parameters: DeployAppParameters): Promise<DeployAppReturnType> {
  const { name, owner = client.account } = parameters
  if (typeof name !== 'string' || name === '') {
    throw new InvalidValueError({ path: 'name', expected: 'a text that is not empty', value: name })
  }
  const { type, multiaddr, checksum } = await locate(client, parameters)
  const sending = client.contracts.appRegistry.createApp(owner, name, type, multiaddr, checksum, '0x')
  const receipt = await send(client, sending)
  const app = mintedIn(receipt, await client.contracts.appRegistry.getAddress())
  return { app, checksum, multiaddr, transactionHash: receipt.hash as Hex }
}

/** Address of the asset that a transaction created: the id of the token its registry minted. */
export function mintedIn(receipt: Parameters<typeof events>[0], registry: string): Address {
  const transfer = events(receipt).find(({ name, address }) => name === 'Transfer' && address === registry)
  const id = transfer?.args.tokenId as bigint
  return getAddress(`0x${id.toString(16).padStart(40, '0')}`) as Address
}

async function locate(client: Client, parameters: DeployAppParameters) {
  if ('image' in parameters) {
    if (!/^0x[0-9a-fA-F]{64}$/.test(parameters.checksum)) {
      throw new InvalidValueError({ path: 'checksum', expected: '32 bytes of hex', value: parameters.checksum })
    }
    return { type: 'DOCKER', multiaddr: utf8Hex(parameters.image), checksum: parameters.checksum }
  }
  const bytes = parameters.bundle instanceof Uint8Array ? parameters.bundle : await Bundle.pack(parameters.bundle)
  // Throws when no enclave could run it.
  await Bundle.unpack(bytes)
  const cid = await upload(client, new Blob([Bytes.owned(bytes)]))
  return { type: Bundle.type, multiaddr: Locator.toBytes({ cid }), checksum: Bundle.checksum(bytes) }
}

function utf8Hex(text: string): Hex {
  return Bytes.toHex(Bytes.fromUtf8(text))
}
