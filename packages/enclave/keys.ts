import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import { type Address, Bytes, type Hex } from '@sealdeal/protocol'
import { getBytes, Wallet } from 'ethers'

/** The keys of one boot. Private parts exist in this process only: they are never written, sent or derived again. */
export type Keys = {
  /** X25519 public key: secrets are sealed to it. */
  enclaveKey: Hex
  opener: CryptoKeyPair
  /** Address of the secp256k1 key that signs the result. */
  enclaveAddress: Address
  /** EIP-191 signature over 32 bytes. */
  sign: (hash: Hex) => Promise<Hex>
}

/** Makes both keys from the platform's secure generator. */
export async function createKeys(): Promise<Keys> {
  const kem = new DhkemX25519HkdfSha256()
  const opener = await kem.generateKeyPair()
  const wallet = Wallet.createRandom()
  return {
    enclaveKey: Bytes.toHex(new Uint8Array(await kem.serializePublicKey(opener.publicKey))),
    opener,
    enclaveAddress: wallet.address as Address,
    sign: async (hash) => (await wallet.signMessage(getBytes(hash))) as Hex,
  }
}
