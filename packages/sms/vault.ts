import { readFile } from 'node:fs/promises'
import { Bytes } from '@sealdeal/protocol'
import { z } from 'zod'
import { MasterKeyUnavailableError } from './errors.ts'
import type { KeyWrapper } from './keyWrapper.ts'

const Wrapped = z.object({ data: z.object({ ciphertext: z.string().startsWith('vault:') }) })
const Unwrapped = z.object({ data: z.object({ plaintext: z.base64() }) })
const Refused = z.object({ errors: z.array(z.string()) })

/** Longest wait for one answer, in milliseconds. */
const patience = 5_000

/**
 * A master key that never leaves a KMS with the Transit API (HashiCorp Vault, OpenBao): data keys are sent there to be wrapped,
 * bound to their secret by `associated_data`.
 *
 * @param key `<mount>/<name>`, e.g. `transit/sealdeal`, of type `aes256-gcm96`
 * @param tokenFile read again at each call: whoever renews the token writes it there
 */
export function vaultKey({ url, key, tokenFile }: { url: string; key: string; tokenFile: string }): KeyWrapper {
  const at = key.lastIndexOf('/')
  const [mount, name] = [key.slice(0, at), key.slice(at + 1)]
  const id = `vault:${key}`

  async function ask<Answer>(verb: 'encrypt' | 'decrypt', body: Record<string, string>, schema: z.ZodType<Answer>) {
    const unavailable = (reason: string, cause?: unknown) => new MasterKeyUnavailableError({ key: id, reason, cause })
    const token = await readFile(tokenFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw unavailable(`its token file "${tokenFile}" cannot be read (${cause.code})`)
    })
    const response = await fetch(new URL(`/v1/${mount}/${verb}/${name}`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-vault-token': token.trim() },
      body: JSON.stringify(body),
      // A token and a data key go to the address that the operator named, and to no other.
      redirect: 'error',
      signal: AbortSignal.timeout(patience),
    }).catch((cause: unknown) => {
      throw unavailable(`the service at ${new URL(url).origin} does not answer`, cause)
    })
    const answer: unknown = await response.json().catch(() => undefined)
    if (response.ok) {
      const { success, data } = schema.safeParse(answer)
      if (success) return data
      throw unavailable('the service answered in another form than the Transit API')
    }
    const said = Refused.safeParse(answer).data?.errors.join('; ') ?? ''
    const reason = `the service answered ${response.status}${said ? `: ${said}` : ''}`
    // To decrypt, 400 speaks of what was sent; everything else speaks of the service, the token, or the key.
    throw response.status === 400 && verb === 'decrypt' ? new Error(reason) : unavailable(reason)
  }

  return {
    id,
    async wrap(dataKey, bind) {
      const body = { plaintext: Bytes.toBase64(dataKey), associated_data: Bytes.toBase64(bind) }
      return Bytes.fromUtf8((await ask('encrypt', body, Wrapped)).data.ciphertext)
    },
    async unwrap(wrapped, bind) {
      const body = { ciphertext: Buffer.from(wrapped).toString('utf8'), associated_data: Bytes.toBase64(bind) }
      return Bytes.fromBase64((await ask('decrypt', body, Unwrapped)).data.plaintext)
    },
  }
}
