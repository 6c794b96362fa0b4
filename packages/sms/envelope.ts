import { randomBytes } from 'node:crypto'
import { MasterKeyUnavailableError, SecretUnreadableError } from './errors.ts'
import { decrypt, encrypt, type KeyWrapper, localKey } from './keyWrapper.ts'

/** Keys that wrap data keys. `current` wraps new ones; the others still open what they wrapped before. */
export type MasterKeys = { current: KeyWrapper; keys: ReadonlyMap<string, KeyWrapper> }

/** A value as it lies on disk. */
export type Envelope = { masterKey: string; wrappedKey: Uint8Array; ciphertext: Uint8Array }

/** The part of it that depends on the master key. */
export type WrappedKey = Pick<Envelope, 'masterKey' | 'wrappedKey'>

/** What an envelope belongs to: it opens nowhere else. */
export type Label = { kind: string; owner: string; name: string }

/** Master keys by the names that rows have for them; bytes are a key in this process. */
export function masterKeys(current: KeyWrapper | Uint8Array, ...former: (KeyWrapper | Uint8Array)[]): MasterKeys {
  const wrapperOf = (key: KeyWrapper | Uint8Array) => (key instanceof Uint8Array ? localKey(key) : key)
  const first = wrapperOf(current)
  return { current: first, keys: new Map([first, ...former.map(wrapperOf)].map((key) => [key.id, key])) }
}

/**
 * Encrypts `value` (AES-256-GCM) under a fresh data key, and the data key under the current master key.
 *
 * @throws MasterKeyUnavailableError
 */
export async function close({
  value,
  label,
  master,
}: {
  value: string
  label: Label
  master: MasterKeys
}): Promise<Envelope> {
  const dataKey = randomBytes(32)
  const ciphertext = encrypt({ key: dataKey, plain: Buffer.from(value), bind: bind('value', label) })
  return { ...(await wrap({ dataKey, label, master })), ciphertext }
}

/**
 * Opens an envelope.
 *
 * @throws SecretUnreadableError when it was changed, belongs to another label, or its master key is not among ours.
 * @throws MasterKeyUnavailableError
 */
export async function open({
  envelope,
  label,
  master,
}: {
  envelope: Envelope
  label: Label
  master: MasterKeys
}): Promise<string> {
  const dataKey = await unwrap({ wrapped: envelope, label, master })
  try {
    const plain = decrypt({ key: dataKey, sealed: envelope.ciphertext, bind: bind('value', label) })
    return plain.toString('utf8')
  } catch {
    throw changed(label)
  } finally {
    dataKey.fill(0)
  }
}

/**
 * The same data key under the current master key; the value itself is not touched.
 *
 * @throws SecretUnreadableError MasterKeyUnavailableError
 */
export async function rewrap({
  wrapped,
  label,
  master,
}: {
  wrapped: WrappedKey
  label: Label
  master: MasterKeys
}): Promise<WrappedKey> {
  return wrap({ dataKey: await unwrap({ wrapped, label, master }), label, master })
}

async function wrap({ dataKey, label, master }: { dataKey: Uint8Array; label: Label; master: MasterKeys }) {
  try {
    return { masterKey: master.current.id, wrappedKey: await master.current.wrap(dataKey, bind('key', label)) }
  } finally {
    dataKey.fill(0)
  }
}

async function unwrap({ wrapped, label, master }: { wrapped: WrappedKey; label: Label; master: MasterKeys }) {
  const { masterKey, wrappedKey } = wrapped
  const key = master.keys.get(masterKey)
  if (!key) throw new SecretUnreadableError({ ...label, reason: `master key "${masterKey}" is not configured` })
  try {
    return await key.unwrap(wrappedKey, bind('key', label))
  } catch (error) {
    throw error instanceof MasterKeyUnavailableError ? error : changed(label)
  }
}

function changed(label: Label): SecretUnreadableError {
  return new SecretUnreadableError({ ...label, reason: 'it was changed since it was stored' })
}

/** JSON keeps the parts apart: no two labels give the same bytes. */
function bind(part: 'key' | 'value', { kind, owner, name }: Label): Buffer {
  return Buffer.from(JSON.stringify(['sealdeal-secret-v1', part, kind, owner, name]))
}
