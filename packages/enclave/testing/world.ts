/** What surrounds an enclave: a real storage, and a secret service that checks real quotes but asks no chain. */
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import { createPlatform, createPolicy, createRoot, verifyQuote } from '@sealdeal/attestation'
import { writePlatform } from '@sealdeal/attestation/files'
import {
  type Address,
  Bundle,
  Bytes,
  type Hex,
  Locator,
  ProtectedData,
  Session,
  Task,
  zeroAddress,
  zeroHash,
} from '@sealdeal/protocol'
import { createLog, serve } from '@sealdeal/server'
import { createBlobs, openBlocks, routes, statuses } from '@sealdeal/storage'
import { getBytes, Wallet } from 'ethers'
import { z } from 'zod'
import { type Launch, measureRuntime } from '../index.ts'

const log = createLog({ name: 'test', level: 'silent' })
const bytes32 = () => Bytes.toHex(randomBytes(32))
const address = () => Wallet.createRandom().address as Address

/** What a test says about a task; everything else is made up. */
export type Wish = {
  /** Files of the app; `iapp.json` runs `main.js` unless given. */
  app: Record<string, string>
  /** Plain bytes of a data set. */
  dataset?: Uint8Array
  /** Overrides what the secret service says of the data set. */
  datasetFacts?: Partial<NonNullable<Session.Content['dataset']>>
  params?: Record<string, unknown>
  secrets?: Session.Content['secrets']
  resultKey?: string
  callback?: Address
  maxSeconds?: number
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** Opens both servers and makes a simulated platform. `user` is who will run the enclaves. */
export async function createWorld({ user }: { user?: number } = {}) {
  const home = await mkdtemp(join(tmpdir(), 'enclave-test-'))
  chmodSync(home, 0o755)
  const directory = join(home, 'work')
  mkdirSync(directory, { mode: 0o700 })
  const root = await createRoot({ at: new Date() })
  const platform = await createPlatform(root, { at: new Date() })
  const platformFile = join(home, 'platform.json')
  writePlatform(platformFile, platform)
  if (user !== undefined) for (const path of [directory, platformFile]) chownSync(path, user, user)

  const blobs = createBlobs({ blocks: await openBlocks({ directory: join(home, 'storage') }) })
  const storage = await serve({
    ...{ name: 'storage', host: '127.0.0.1', port: 0, log, errors: statuses },
    routes: routes({ blobs, limits: { fileBytes: 2 ** 28, files: 3 } }),
  })
  const policy = await createPolicy(root, [{ tee: 'tdx', mrTd: measureRuntime() }])
  const broker = Wallet.createRandom()
  const contents = new Map<string, Session.Content>()
  const nonces = new Set<string>()
  /** What the secret service was asked, whole. */
  const requests: unknown[] = []
  /** What a worker in the middle does to the next answer. */
  const meddling: Meddle[] = []
  /** Whom the next nonces claim to be from. */
  const impostors: Address[] = []
  /** Answers of the secret service to come before it works again. */
  const refusals: { status: number; body: unknown }[] = []

  const sms = await serve({
    ...{ name: 'sms', host: '127.0.0.1', port: 0, log },
    routes: (app) => {
      app.post('/sessions/nonce', async () => {
        const claim = { signer: broker.address as Address, seed: bytes32() }
        const nonce = Session.nonceOf(claim)
        nonces.add(nonce)
        return { nonce, ...claim, signer: impostors.shift() ?? claim.signer }
      })
      app.post('/sessions', async (request, reply) => {
        requests.push(request.body)
        const refusal = refusals.shift()
        if (refusal !== undefined) return reply.code(refusal.status).send(refusal.body)
        return openSession(Ask.parse(request.body))
      })
    },
  })

  async function openSession(ask: z.output<typeof Ask>): Promise<Session.Answer> {
    const content = contents.get(ask.dealId)
    if (content === undefined || !nonces.delete(ask.nonce)) throw new Error('unknown deal or nonce')
    const { taskId, worker } = content
    const reportData = Session.reportData({
      ...{ chainId: BigInt(content.chainId), hub: content.hub, taskId, attempt: BigInt(ask.lease.attempt), worker },
      ...{ enclaveKey: ask.enclaveKey, enclaveAddress: ask.enclaveAddress, nonce: ask.nonce },
    })
    const quote = Bytes.fromBase64(ask.quote)
    const { collateral } = platform
    await verifyQuote({ quote, collateral, policy, at: new Date(), reportData, events: ask.eventLog })
    const last = ask.eventLog.at(-1)
    if (last?.event !== Session.appEvent || last.payload !== content.app.checksum) throw new Error('another app')
    const sealed = await seal({ content, enclaveKey: ask.enclaveKey, reportData })
    const sign = async (hash: Hex) => (await broker.signMessage(getBytes(hash))) as Hex
    const answer = {
      sealed,
      signature: await sign(Session.sealedHash({ reportData, sealed })),
      authorization: await sign(Task.authorizationHash(worker, taskId, ask.enclaveAddress)),
    }
    const { enclaveKey } = ask
    return (await meddling.shift()?.({ answer, content, enclaveKey, reportData })) ?? answer
  }

  /** Stores bytes; what the chain would hold of their place. */
  async function store(bytes: Uint8Array): Promise<{ multiaddr: Hex; cid: string; url: string }> {
    const body = new FormData()
    body.append('file', new Blob([Bytes.owned(bytes)]), 'bytes')
    const response = await fetch(`${storage.url}/api/v0/add`, { method: 'POST', body })
    const { Hash: cid } = z.object({ Hash: z.string() }).parse(await response.json())
    return { multiaddr: Locator.toBytes({ cid }), cid, url: `${storage.url}/ipfs/${cid}` }
  }

  async function fetchStored(location: string): Promise<Uint8Array> {
    return new Uint8Array(await (await fetch(`${storage.url}${location}`)).arrayBuffer())
  }

  /** Registers a task and returns what a worker would be told of it. */
  async function createTask(wish: Wish): Promise<{ launch: Launch; content: Session.Content; encrypted: Uint8Array }> {
    const manifest = { 'iapp.json': JSON.stringify({ entrypoint: ['node', 'main.js'] }) }
    const files = Object.entries({ ...manifest, ...wish.app })
    const bundle = await Bundle.pack(Object.fromEntries(files.map(([path, text]) => [path, Bytes.fromUtf8(text)])))
    const app = { address: address(), type: Bundle.type, checksum: Bundle.checksum(bundle), ...(await place(bundle)) }
    const key = ProtectedData.generateKey()
    const encrypted = wish.dataset === undefined ? new Uint8Array() : await ProtectedData.encrypt(wish.dataset, key)
    const dealId = bytes32()
    const common = { chainId: '31337', hub: address(), dealId, index: '3', worker: address() }
    const content: Session.Content = {
      ...common,
      taskId: Task.id(dealId, 3n),
      ...{ requester: address(), beneficiary: address(), callback: wish.callback ?? zeroAddress, tag: zeroHash },
      ...{ maxSeconds: wish.maxSeconds ?? 20, botFirst: '3', botSize: '2', app },
      ...(wish.dataset && {
        dataset: {
          ...{ address: address(), checksum: ProtectedData.checksum(encrypted), key, ...(await place(encrypted)) },
          ...wish.datasetFacts,
        },
      }),
      params: JSON.stringify(wish.params ?? {}),
      secrets: wish.secrets ?? { requester: {} },
      ...(wish.resultKey !== undefined && { resultKey: wish.resultKey }),
    }
    contents.set(dealId, content)
    const lease = { attempt: '0', expiry: String(2n ** 40n), signature: '0x00' as const }
    const launch = { ...common, lease, app, smsUrl: sms.url, storageUrl: storage.url, platformFile }
    return { launch, content, encrypted }
  }

  async function place(bytes: Uint8Array): Promise<{ multiaddr: Hex }> {
    const { multiaddr } = await store(bytes)
    return { multiaddr }
  }

  async function close(): Promise<void> {
    await Promise.all([storage.close(), sms.close()])
    await rm(home, { recursive: true, force: true })
  }

  const tools = { createTask, store, fetchStored, close }
  return { directory, home, broker, requests, refusals, meddling, impostors, storageUrl: storage.url, ...tools }
}

/** Seals content as anybody can who knows an enclave's public key. */
export async function seal({
  content,
  enclaveKey,
  reportData,
}: {
  content: Session.Content
  enclaveKey: Hex
  reportData: Hex
}): Promise<Session.Sealed> {
  const kem = new DhkemX25519HkdfSha256()
  const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const recipientPublicKey = await kem.deserializePublicKey(Bytes.fromHex(enclaveKey))
  const sender = await suite.createSenderContext({ recipientPublicKey, info: Bytes.fromHex(reportData) })
  const ciphertext = await sender.seal(Bytes.fromUtf8(JSON.stringify(content)))
  return {
    enc: Bytes.toBase64(new Uint8Array(sender.enc)),
    ciphertext: Bytes.toBase64(new Uint8Array(ciphertext)),
  }
}

/** Changes an answer of the secret service on its way to the enclave. */
export type Meddle = (seen: {
  answer: Session.Answer
  content: Session.Content
  enclaveKey: Hex
  reportData: Hex
}) => Promise<Session.Answer>

const Ask = z.looseObject({
  dealId: z.string(),
  lease: z.object({ attempt: z.string() }),
  enclaveKey: z.custom<Hex>(),
  enclaveAddress: z.custom<Address>(),
  nonce: z.custom<Hex>(),
  quote: z.string(),
  eventLog: z.array(z.object({ event: z.string(), payload: z.custom<Hex>() })),
})

/** Whether this machine has bubblewrap where the sandbox looks for it. */
export function hasBubblewrap(): boolean {
  return ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin'].some((folder) => existsSync(join(folder, 'bwrap')))
}
