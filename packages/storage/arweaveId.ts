import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

/** The id of a file: the sha2-256 of its CID (version 0), as Arweave spells its ids. */
export function fromCid(cid: string): string {
  return Buffer.from(CID.parse(cid).multihash.digest).toString('base64url')
}

/** The CID that an id stands for. */
export function toCid(id: string): string {
  return CID.createV0(Digest.create(0x12, Buffer.from(id, 'base64url'))).toString()
}
