import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { SecretUnreadableError } from './errors.ts'

/** Keys that wrap data keys. `current` wraps new ones; the others still open what they wrapped before. */
export type MasterKeys = { current: string; keys: ReadonlyMap<string, Uint8Array> }

/** A value as it lies on disk. */
export type Envelope = { masterKey: string; wrappedKey: Uint8Array; ciphertext: Uint8Array }

/** What an envelope belongs to: it opens nowhere else. */
export type Label = { kind: string; owner: string; name: string }

const nonceBytes = 12
const tagBytes = 16

/** Names `key` by a hash of it, so that rows say which key wrapped them without saying anything about the key. */
export function masterKeys(current: Uint8Array, ...former: Uint8Array[]): MasterKeys {
  const named = [current, ...former].map((key) => [nameOf(key), key] as const)
  return { current: nameOf(current), keys: new Map(named) }
}

/** Encrypts `value` (AES-256-GCM) under a fresh data key, and the data key under the current master key. */
export function close({ value, label, master }: { value: string; label: Label; master: MasterKeys }): Envelope {
  const dataKey = randomBytes(32)
  const wrappedKey = encrypt({ key: keyOf(master, master.current, label), plain: dataKey, bind: bind('key', label) })
  const ciphertext = encrypt({ key: dataKey, plain: Buffer.from(value), bind: bind('value', label) })
  dataKey.fill(0)
  return { masterKey: master.current, wrappedKey, ciphertext }
}

/**
 * Opens an envelope.
 *
 * @throws SecretUnreadableError when it was changed, belongs to another label, or its master key is not among ours.
 */
export function open({ envelope, label, master }: { envelope: Envelope; label: Label; master: MasterKeys }): string {
  const wrapping = keyOf(master, envelope.masterKey, label)
  try {
    const dataKey = decrypt({ key: wrapping, sealed: envelope.wrappedKey, bind: bind('key', label) })
    const plain = decrypt({ key: dataKey, sealed: envelope.ciphertext, bind: bind('value', label) })
    dataKey.fill(0)
    return plain.toString('utf8')
  } catch {
    throw new SecretUnreadableError({ ...label, reason: 'it was changed since it was stored' })
  }
}

function keyOf(master: MasterKeys, name: string, label: Label): Uint8Array {
  const key = master.keys.get(name)
  if (!key) throw new SecretUnreadableError({ ...label, reason: `master key "${name}" is not configured` })
  return key
}

function nameOf(key: Uint8Array): string {
  return createHash('sha256').update('sealdeal master key name').update(key).digest('hex').slice(0, 16)
}

/** JSON keeps the parts apart: no two labels give the same bytes. */
function bind(part: 'key' | 'value', { kind, owner, name }: Label): Buffer {
  return Buffer.from(JSON.stringify(['sealdeal-secret-v1', part, kind, owner, name]))
}

function encrypt({ key, plain, bind }: { key: Uint8Array; plain: Uint8Array; bind: Buffer }): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(bind)
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt({ key, sealed, bind }: { key: Uint8Array; sealed: Uint8Array; bind: Buffer }): Buffer {
  const nonce = sealed.subarray(0, nonceBytes)
  const body = sealed.subarray(nonceBytes, sealed.length - tagBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(bind)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  return Buffer.concat([decipher.update(body), decipher.final()])
}
