import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import { Bytes, type Hex, type Session } from '@sealdeal/protocol'

const kem = new DhkemX25519HkdfSha256()
const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })

/**
 * Seals `content` to an enclave's X25519 key (HPKE, RFC 9180, base mode). `info` is the report data of its quote: what
 * was sealed for one session opens in no other, even under the same key.
 */
export async function seal({
  content,
  enclaveKey,
  info,
}: {
  content: Session.Content
  enclaveKey: Hex
  info: Hex
}): Promise<Session.Answer['sealed']> {
  const recipientPublicKey = await kem.deserializePublicKey(Bytes.fromHex(enclaveKey))
  const sender = await suite.createSenderContext({ recipientPublicKey, info: Bytes.fromHex(info) })
  const plain = Bytes.fromUtf8(JSON.stringify(content))
  const ciphertext = await sender.seal(plain)
  plain.fill(0)
  return { enc: Bytes.toBase64(new Uint8Array(sender.enc)), ciphertext: Bytes.toBase64(new Uint8Array(ciphertext)) }
}
