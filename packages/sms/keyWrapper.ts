import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/**
 * A master key, wherever it lives: it wraps data keys and opens them again. `bind` names the secret that a data key belongs
 * to; unwrapping under another one fails.
 */
export type KeyWrapper = {
  /** What rows call this key. It says nothing about the key itself. */
  id: string
  /** Throws MasterKeyUnavailableError where the key is held by a service that does not serve us now. */
  wrap(dataKey: Uint8Array, bind: Uint8Array): Promise<Uint8Array>
  /** Throws MasterKeyUnavailableError likewise; any other error says that this is not what was wrapped. */
  unwrap(wrapped: Uint8Array, bind: Uint8Array): Promise<Uint8Array>
}

/** A master key of 32 bytes in this process, named by a hash of it. */
export function localKey(key: Uint8Array): KeyWrapper {
  return {
    id: createHash('sha256').update('sealdeal master key name').update(key).digest('hex').slice(0, 16),
    wrap: async (dataKey, bind) => encrypt({ key, plain: dataKey, bind }),
    unwrap: async (wrapped, bind) => decrypt({ key, sealed: wrapped, bind }),
  }
}

const nonceBytes = 12
const tagBytes = 16

/** AES-256-GCM under a fresh nonce: nonce, ciphertext, tag. `bind` is authenticated and not contained. */
export function encrypt({ key, plain, bind }: { key: Uint8Array; plain: Uint8Array; bind: Uint8Array }): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(bind)
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Opens what `encrypt` made, or throws. */
export function decrypt({ key, sealed, bind }: { key: Uint8Array; sealed: Uint8Array; bind: Uint8Array }): Buffer {
  const nonce = sealed.subarray(0, nonceBytes)
  const body = sealed.subarray(nonceBytes, sealed.length - tagBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(bind)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  return Buffer.concat([decipher.update(body), decipher.final()])
}
