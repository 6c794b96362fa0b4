import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import {
  createCollateral,
  createPlatform,
  createPolicy,
  createRoot,
  type MeasuredEvent,
  type Platform,
  replayRtmr3,
  simulateQuote,
} from '@sealdeal/attestation'
import { type Address, Bytes, type Hex, Lease, Secret, Session, Task } from '@sealdeal/protocol'
import { createLog, type Database, openTestDatabase, serve } from '@sealdeal/server'
import * as storageParts from '@sealdeal/storage'
import { Wallet } from 'ethers'
import {
  createAttest,
  createSecrets,
  createSessions,
  masterKeys,
  migrations,
  readBulkLists,
  routes,
  type Secrets,
  statuses,
} from '../index.ts'
import type { StandingDeal, TestChain } from './chain.ts'

/** One running service over a chain, with everything around it that an enclave needs. */
export type World = TestChain & {
  url: string
  database: Database
  secrets: Secrets
  signer: Wallet
  platform: Platform
  /** Made by another simulator, with its own root. */
  foreignPlatform: Platform
  mrTd: Hex
  /** Lets the wall clock run ahead, in milliseconds; back with 0. */
  ahead(milliseconds: number): void
  now(): Date
  /** Whether the collateral is of weeks ago, past its next update. */
  letCollateralAge(value: boolean): void
  /** Stores JSON where the service reads lists of datasets; its content address. */
  store(json: unknown): Promise<string>
  /** Everything logged so far. */
  logged(): string
}

const kem = new DhkemX25519HkdfSha256()
const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })

/** Starts the service over real HTTP and a real PostgreSQL. */
export async function openWorld(openChain: (wall: { clock: () => Date }) => Promise<TestChain>): Promise<World> {
  let milliseconds = 0
  const now = () => new Date(Date.now() + milliseconds)
  const testChain = await openChain({ clock: now })
  const { chain } = testChain
  const test = await openTestDatabase({ migrations })
  const at = new Date()
  const root = await createRoot({ at })
  const platform = await createPlatform(root, { at })
  const foreignPlatform = await createPlatform(await createRoot({ at }), { at })
  const mrTd: Hex = `0x${'11'.repeat(48)}`
  const policy = await createPolicy(root, [{ tee: 'tdx', mrTd }])
  const secrets = createSecrets({ database: test.database, master: masterKeys(Bytes.random(32)) })
  const signer = new Wallet(Wallet.createRandom().privateKey)
  const aged = await createCollateral(root, { at: new Date(at.getTime() - 40 * 86_400_000) })
  let isAged = false
  const attest = createAttest({ policy, collateral: async () => (isAged ? aged : platform.collateral) })
  const storage = await openStorage()
  const bulkList = readBulkLists({ gateway: storage.url })
  const sessions = createSessions({ database: test.database, secrets, chain, bulkList, attest, signer, clock: now })
  const lines: string[] = []
  const to = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const server = await serve({
    name: 'sms',
    host: '127.0.0.1',
    port: 0,
    log: createLog({ name: 'sms', level: 'trace', to }),
    routes: routes({ secrets, sessions, chain, database: test.database }),
    errors: statuses,
  })
  return {
    ...testChain,
    url: server.url,
    database: test.database,
    secrets,
    signer,
    platform,
    foreignPlatform,
    mrTd,
    ahead(value) {
      milliseconds = value
    },
    now,
    store: storage.store,
    letCollateralAge(value) {
      isAged = value
    },
    logged: () => lines.join(''),
    async close() {
      await server.close()
      await storage.close()
      await test.close()
      await testChain.close()
    },
  }
}

/** A storage as requesters use it. */
async function openStorage() {
  const directory = await mkdtemp(join(tmpdir(), 'sms-storage-'))
  const blobs = storageParts.createBlobs({ blocks: await storageParts.openBlocks({ directory }) })
  const server = await serve({
    ...{ name: 'storage', host: '127.0.0.1', port: 0, errors: storageParts.statuses },
    log: createLog({ name: 'storage', level: 'silent' }),
    routes: storageParts.routes({ blobs, limits: { fileBytes: 2 ** 24, files: 3 } }),
  })
  return {
    url: server.url,
    async store(json: unknown): Promise<string> {
      const body = new FormData()
      body.append('file', new Blob([typeof json === 'string' ? json : JSON.stringify(json)]), 'list.json')
      const response = await fetch(`${server.url}/api/v0/add`, { method: 'POST', body })
      const { Hash: cid } = (await response.json()) as { Hash: string }
      return cid
    },
    async close() {
      await server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Deviations from an honest enclave; each test breaks one thing. */
export type Deviations = {
  index?: bigint
  attempt?: bigint
  worker?: Address
  /** What the pool signs, where it differs from what is sent. */
  signedLease?: Partial<Lease.Lease>
  leaseSigner?: Wallet
  expiry?: bigint
  /** What the quote is bound to, where it differs from what is sent. */
  bound?: Partial<Session.Binding>
  mrTd?: Hex
  platform?: Platform
  /** Events sent, and events extended into RTMR3. */
  events?: MeasuredEvent[]
  extended?: MeasuredEvent[]
  nonce?: Hex
  dealId?: Hex
  /** Last touch on the quote. */
  damage?(quote: Uint8Array): Uint8Array
  /** Runs between the nonce and the request. */
  meanwhile?(): unknown
}

/** What one attempt of an enclave came to. `open` opens the sealed answer. */
export type Outcome = {
  status: number
  body: { name?: string; error?: string } & Partial<Session.Answer>
  headers: Headers
  taskId: Hex
  nonce: Hex
  /** The key that the enclave signs its result with. */
  enclave: Pick<Wallet, 'signMessage'>
  enclaveAddress: Address
  worker: Address
  open(): Promise<Session.Content>
  /** What the quote was bound to, in 64 bytes. */
  reportData: Hex
}

/** Plays an enclave over HTTP: keys, nonce, quote, session. */
export async function attempt(world: World, standing: StandingDeal, deviations: Deviations = {}): Promise<Outcome> {
  const { chain, owners } = world
  const { index = standing.deal.botFirst, attempt = 1n, dealId = standing.dealId } = deviations
  const worker = deviations.worker ?? (Wallet.createRandom().address as Address)
  const taskId = Task.id(dealId, index)
  const keys = await kem.generateKeyPair()
  const enclaveKey = Bytes.toHex(new Uint8Array(await kem.serializePublicKey(keys.publicKey)))
  const enclave = Wallet.createRandom()
  const enclaveAddress = enclave.address as Address
  const nonce = deviations.nonce ?? (await askNonce(world, { dealId, index, attempt }))
  await deviations.meanwhile?.()

  const expiry = deviations.expiry ?? BigInt(Math.floor(world.now().getTime() / 1000) + 600)
  const lease = { task: taskId, worker, attempt, expiry, ...deviations.signedLease }
  const signature = await Lease.sign(lease, deviations.leaseSigner ?? owners.pool, Lease.domain(chain))

  const binding = { chainId: chain.chainId, hub: chain.hub, taskId, attempt, worker, enclaveKey, enclaveAddress, nonce }
  const events = deviations.events ?? [{ event: Session.appEvent, payload: standing.checksum }]
  const honest = await simulateQuote(deviations.platform ?? world.platform, {
    mrTd: deviations.mrTd ?? world.mrTd,
    rtmr3: await replayRtmr3(deviations.extended ?? events),
    reportData: Session.reportData({ ...binding, ...deviations.bound }),
  })
  const quote = deviations.damage?.(honest) ?? honest
  const request: Session.Request = {
    dealId,
    index: String(index),
    worker,
    lease: { attempt: String(attempt), expiry: String(expiry), signature },
    enclaveKey,
    enclaveAddress,
    nonce,
    quote: Bytes.toBase64(quote),
    eventLog: events,
  }
  const response = await post(world, '/sessions', request)
  const body = await response.json()
  return {
    status: response.status,
    body,
    headers: response.headers,
    taskId,
    nonce,
    enclave,
    enclaveAddress,
    worker,
    reportData: Session.reportData(binding),
    async open() {
      const info = Bytes.fromHex(Session.reportData(binding))
      const recipient = await suite.createRecipientContext({
        recipientKey: keys,
        enc: Bytes.fromBase64(body.sealed.enc),
        info,
      })
      const plain = await recipient.open(Bytes.fromBase64(body.sealed.ciphertext))
      return JSON.parse(new TextDecoder().decode(plain))
    },
  }
}

/** A nonce as any enclave gets one. */
export async function askNonce(
  world: World,
  { dealId, index, attempt }: { dealId: Hex; index: bigint; attempt: bigint },
): Promise<Hex> {
  const response = await post(world, '/sessions/nonce', { dealId, index: String(index), attempt: String(attempt) })
  const { nonce } = await response.json()
  return nonce
}

/** What the owners of a deal push before it runs. */
export async function pushEverything(world: World, { deal }: StandingDeal): Promise<void> {
  const { secrets } = world
  await secrets.create({ kind: 'app', owner: deal.app.pointer }, 'the app secret')
  await secrets.create({ kind: 'dataset', owner: deal.dataset.pointer }, 'the dataset key')
  await secrets.create({ kind: 'requester', owner: deal.requester, name: 'token' }, 'the requester secret')
  const { resultKey } = Secret.reserved
  await secrets.create({ kind: 'account', owner: deal.beneficiary, name: resultKey }, 'the result key')
}

export function post(world: World, path: string, body: unknown): Promise<Response> {
  return fetch(`${world.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}
