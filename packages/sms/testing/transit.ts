import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { decrypt, encrypt } from '../keyWrapper.ts'

export type TestTransit = Awaited<ReturnType<typeof startTransit>>

type Body = { plaintext?: string; ciphertext?: string; associated_data?: string }
type Answer = { status: number; body: object }

/** Serves encrypt and decrypt of the Transit API over real HTTP: versioned `aes256-gcm96` keys, associated data, tokens. */
export async function startTransit({ token, keys }: { token: string; keys: string[] }) {
  const versions = new Map(keys.map((key) => [key, [randomBytes(32)]]))
  const state = { token, isSealed: false, asked: [] as string[] }
  const refuse = (status: number, error: string): Answer => ({ status, body: { errors: [error] } })
  const bytes = (text = '') => Buffer.from(text, 'base64')

  function answer(path: string, given: string | undefined, body: Body): Answer {
    if (state.isSealed) return refuse(503, 'Vault is sealed')
    if (given !== state.token) return refuse(403, 'permission denied')
    const [, mount, verb, name] = /^\/v1\/(.+)\/(encrypt|decrypt)\/([^/]+)$/.exec(path) ?? []
    const found = versions.get(`${mount}/${name}`)
    if (!found) return refuse(400, 'encryption key not found')
    const bind = bytes(body.associated_data)
    if (verb === 'encrypt') {
      const key = found.at(-1) ?? randomBytes(32)
      const sealed = encrypt({ key, plain: bytes(body.plaintext), bind }).toString('base64')
      return {
        status: 200,
        body: { data: { ciphertext: `vault:v${found.length}:${sealed}`, key_version: found.length } },
      }
    }
    const [, version, sealed] = /^vault:v(\d+):(.+)$/.exec(body.ciphertext ?? '') ?? []
    const key = found[Number(version) - 1]
    if (!key) return refuse(400, 'invalid ciphertext: no prefix')
    try {
      return {
        status: 200,
        body: { data: { plaintext: decrypt({ key, sealed: bytes(sealed), bind }).toString('base64') } },
      }
    } catch {
      return refuse(400, 'cipher: message authentication failed')
    }
  }
  const server = createServer(async (request, response) => {
    state.asked.push(request.url ?? '')
    const given = request.headers['x-vault-token']
    const { status, body } = answer(request.url ?? '', String(given), (await json(request)) as Body)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    /** A new version of a key; older ones still open what they wrapped. */
    rotate: (key: string) => versions.get(key)?.push(randomBytes(32)),
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
