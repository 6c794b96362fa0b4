import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { SecretUnreadableError } from './errors.ts'

const nonceBytes = 12
const tagBytes = 16

/** A new secret, as its owner sees it once. Its text is the key. */
export function makeSecret(): string {
  return `sdcb_${randomBytes(32).toString('base64url')}`
}

/** Encrypts a secret (AES-256-GCM) for its subscription: it opens in no other row. */
export function seal({ secret, subscription, master }: { secret: string; subscription: string; master: Uint8Array }) {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', master, nonce, { authTagLength: tagBytes }).setAAD(bind(subscription))
  return Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** @throws {SecretUnreadableError} */
export function unseal({
  sealed,
  subscription,
  master,
}: {
  sealed: Uint8Array
  subscription: string
  master: Uint8Array
}): string {
  const nonce = sealed.subarray(0, nonceBytes)
  const body = sealed.subarray(nonceBytes, sealed.length - tagBytes)
  try {
    const cipher = createDecipheriv('aes-256-gcm', master, nonce, { authTagLength: tagBytes })
    cipher.setAAD(bind(subscription)).setAuthTag(sealed.subarray(sealed.length - tagBytes))
    return Buffer.concat([cipher.update(body), cipher.final()]).toString('utf8')
  } catch {
    throw new SecretUnreadableError({ subscription })
  }
}

function bind(subscription: string): Buffer {
  return Buffer.from(JSON.stringify(['sealdeal-callbacks-v1', subscription]))
}

/**
 * The header that proves a delivery: `t=<unix seconds>,v1=<hex>`, with one `v1` per secret that counts at the moment. Each is
 * HMAC-SHA256 over `<t>.<body>`.
 */
export function signature({ body, secrets, at }: { body: string; secrets: readonly string[]; at: number }): string {
  const proofs = secrets.map((secret) => `v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`)
  return [`t=${at}`, ...proofs].join(',')
}
