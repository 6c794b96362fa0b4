import { createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InvalidValueError, ProtectedData } from '@sealdeal/protocol'
import { type Client, type ProtectDataReturnType, protectData } from '@sealdeal/sdk'
import { expect } from 'chai'
import type { Stack } from '../stack.ts'
import { needles, scanBytes } from '../testing/canary.ts'
import { newcomer, refusal } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

const canary = `canary-${randomUUID()}`
/** Signature, image header and one chunk of image data (ISO/IEC 15948, 5): enough to be recognised. */
const picture = Buffer.concat([
  Buffer.from('89504e470d0a1a0a', 'hex'),
  Buffer.from('0000000d49484452000000010000000108000000003a7e9b55', 'hex'),
  Buffer.from('0000138849444154', 'hex'),
  randomBytes(5_000),
])
const data = {
  email: `${canary}@b.c`,
  age: 42,
  id: -(1n << 100n) - 7n,
  alive: true,
  'dead-or_not': false,
  nested: { file: new Blob([picture]), deeper: { note: 'Zoë' } },
}

let stack: Stack
let owner: Client
let made: ProtectDataReturnType

let arranged: Promise<void> | undefined

/** Protects the data of this page, once for all of it. */
function arrange(): Promise<void> {
  arranged ??= (async () => {
    stack = await sharedStack()
    owner = await newcomer(stack)
    made = await protectData(owner, { name: 'C01', data })
  })()
  return arranged
}

/** What anybody can download. */
async function download(): Promise<{ status: number; bytes: Buffer }> {
  const response = await fetch(new URL(`/ipfs/${made.cid}`, stack.endpoints.storage))
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}

/** AES-256-CBC by OpenSSL itself: not the code that encrypted. */
function decrypt(bytes: Buffer, key: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-cbc', key, bytes.subarray(0, 16))
  return Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()])
}

/** Entries of a ZIP by its central directory (APPNOTE 4.3.12), with the bytes as they lie there: not the code that packed. */
function entriesOf(zip: Buffer): Record<string, { method: number; bytes: string }> {
  const end = zip.lastIndexOf(Buffer.from('504b0506', 'hex'))
  const entries: Record<string, { method: number; bytes: string }> = {}
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset))
    const name = zip.toString('utf8', at + 46, at + 46 + (nameLength ?? 0))
    const local = zip.readUInt32LE(at + 42)
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const bytes = zip.subarray(start, start + zip.readUInt32LE(at + 20)).toString('hex')
    entries[name] = { method: zip.readUInt16LE(at + 10), bytes }
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0)
  }
  return entries
}

const recursive: Record<string, unknown> = { a: 1 }
recursive.self = recursive

/** What cannot be protected, and the path that the refusal must name. */
const unusable: [what: string, data: unknown, path: string][] = [
  ['an array', ['a'], 'data'],
  ['null', null, 'data'],
  ['undefined', undefined, 'data'],
  ['a text', 'a', 'data'],
  ['a number', 1, 'data'],
  ['an object without members', {}, 'data'],
  ['an empty key', { '': 'a' }, 'data'],
  ['a key with a dot', { 'a.b': 'a' }, 'data'],
  ['a key with a blank', { 'a b': 'a' }, 'data'],
  ['a key with a slash', { nested: { '../a': 'a' } }, 'data.nested'],
  ['a key with an umlaut', { nested: { ä: 'a' } }, 'data.nested'],
  ['a member that is an array', { a: { list: [1] } }, 'data.a.list'],
  ['a member that is null', { a: { b: null } }, 'data.a.b'],
  ['a member that is undefined', { good: 'a', a: undefined }, 'data.a'],
  ['a nested object without members', { a: {} }, 'data.a'],
  ['NaN', { a: { b: Number.NaN } }, 'data.a.b'],
  ['Infinity', { a: Number.POSITIVE_INFINITY }, 'data.a'],
  ['-Infinity', { a: Number.NEGATIVE_INFINITY }, 'data.a'],
  ['2^127', { a: 1n << 127n }, 'data.a'],
  ['-2^127-1', { a: { b: -(1n << 127n) - 1n } }, 'data.a.b'],
  ['a function', { a: () => 1 }, 'data.a'],
  ['a symbol', { a: Symbol('a') }, 'data.a'],
  ['a date', { a: new Date() }, 'data.a'],
  ['a map', { a: new Map([['b', 1]]) }, 'data.a'],
  ['half a character', { a: '\ud800' }, 'data.a'],
  ['an object inside of itself', recursive, 'data.self'],
]

describe('C01 protect an object of every kind in one call', () => {
  before(arrange)

  it('stores a blob that the returned key decrypts to a zip whose entries are the inputs, in borsh widths', async () => {
    const { bytes } = await download()
    const key = Buffer.from(made.key, 'base64')
    expect(key.length).to.equal(32)
    const zip = decrypt(bytes, key)
    const id = Buffer.alloc(16)
    id.writeBigUInt64LE(BigInt.asUintN(64, data.id), 0)
    id.writeBigInt64LE(data.id >> 64n, 8)
    const text = Buffer.from(data.email)
    expect(entriesOf(zip)).to.deep.equal({
      email: { method: 0, bytes: `${text.length.toString(16).padStart(2, '0')}000000${text.toString('hex')}` },
      age: { method: 0, bytes: '0000000000004540' },
      id: { method: 0, bytes: id.toString('hex') },
      alive: { method: 0, bytes: '01' },
      'dead-or_not': { method: 0, bytes: '00' },
      'nested/': { method: 0, bytes: '' },
      'nested/file': { method: 0, bytes: picture.toString('hex') },
      'nested/deeper/': { method: 0, bytes: '' },
      'nested/deeper/note': { method: 0, bytes: '040000005a6fc3ab' },
    })
    expect(bytes.length).to.equal(16 + (Math.floor(zip.length / 16) + 1) * 16)
    expect(made.size).to.equal(bytes.length)
  })

  it('records name, place and schema on chain in one transaction of the owner', async () => {
    const dataset = await owner.contracts.hub.viewDataset(made.address)
    expect(dataset.m_datasetName).to.equal('C01')
    expect(dataset.m_datasetMultiaddr).to.equal(made.multiaddr)
    const filter = owner.dataProtector?.filters.DatasetSchema(made.address)
    const [event] = filter ? ((await owner.dataProtector?.queryFilter(filter)) ?? []) : []
    expect(event?.transactionHash).to.equal(made.transactionHash)
    expect(JSON.parse(event?.args.schema ?? '')).to.deep.equal({
      email: 'string',
      age: 'f64',
      id: 'i128',
      alive: 'bool',
      'dead-or_not': 'bool',
      nested: { file: 'image/png', deeper: { note: 'string' } },
    })
    expect(await owner.provider.getTransactionCount(owner.account)).to.equal(1)
  })
})

describe('C03 be refused clearly for unusable data before anything is sent', () => {
  let client: Client
  let uploads: string[]
  let close: () => void

  // Everything that leaves this client for a service arrives here.
  before(async () => {
    await arrange()
    uploads = []
    const server = createServer((request, response) => {
      uploads.push(`${request.method} ${request.url}`)
      response.writeHead(400, { 'content-type': 'application/json' }).end('{}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    close = () => server.close()
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    client = await newcomer({ ...stack, endpoints: { ...stack.endpoints, market: url, sms: url, storage: url } })
  })
  after(() => close())

  /** Protects, and tells the error, the requests and the transactions that came of it. */
  async function attempt(data: unknown, name?: unknown) {
    uploads.length = 0
    const parameters = { data, ...(name === undefined ? {} : { name }) } as Parameters<typeof protectData>[1]
    const error = await refusal(protectData(client, parameters))
    return { error, uploads: [...uploads], sent: await client.provider.getTransactionCount(client.account, 'pending') }
  }

  for (const [what, data, path] of unusable) {
    it(`refuses ${what}, naming "${path}"`, async () => {
      const { error, uploads, sent } = await attempt(data)
      expect(error).to.be.instanceOf(InvalidValueError)
      expect(error.path).to.equal(path)
      expect(error.message).to.contain(`"${path}" must be `)
      expect({ uploads, sent }).to.deep.equal({ uploads: [], sent: 0 })
    })
  }

  it('refuses a name that is no text', async () => {
    const { error, uploads, sent } = await attempt({ a: 1 }, 7)
    expect([error.name, error.path]).to.deep.equal(['InvalidValueError', 'name'])
    expect({ uploads, sent }).to.deep.equal({ uploads: [], sent: 0 })
  })

  it('sends the same kinds of data at the edge of what is allowed', async () => {
    const edges = {
      a: (1n << 127n) - 1n,
      b: -(1n << 127n),
      c: Number.MAX_VALUE,
      d: '',
      e: { 'A-z_0': new Uint8Array() },
    }
    const { error, uploads, sent } = await attempt(edges)
    expect(error.name).to.equal('ServiceRefusedError')
    expect(uploads).to.deep.equal(['POST /api/v0/add?stream-channels=true&progress=false'])
    expect(sent).to.equal(0)
  })
})

describe('C04 download the stored file but not read it', () => {
  before(arrange)

  const wanted = [canary, 'email', 'nested/deeper', 'Zoë']
    .flatMap((text) => needles(text))
    .concat({ form: 'picture', bytes: picture.subarray(100, 116) })
  const readable = (bytes: Buffer) => scanBytes(bytes, wanted, 'stored').map(({ form }) => form)

  it('gives the file to anybody who knows its CID, with nothing readable in it', async () => {
    const { status, bytes } = await download()
    expect(status).to.equal(200)
    expect(readable(bytes)).to.deep.equal([])
    // The same search finds everything in what was encrypted.
    const opened = readable(decrypt(bytes, Buffer.from(made.key, 'base64')))
    expect(opened).to.include.members(['raw', 'picture'])
    expect(opened.filter((form) => form === 'raw').length).to.equal(4)
  })

  /** Opens the stored file with a key: its plaintext, or nothing where the key is noticed to be wrong. */
  async function open(bytes: Buffer, key: Uint8Array): Promise<Buffer | undefined> {
    try {
      return Buffer.from(await ProtectedData.decrypt(bytes, Buffer.from(key).toString('base64')))
    } catch (error) {
      expect((error as Error).name).to.equal('DecryptionError')
      return undefined
    }
  }

  /** Every key of a list: refused, or opened to noise. Returns how many were refused. */
  async function tryAll(keys: Uint8Array[]): Promise<number> {
    const { bytes } = await download()
    let refused = 0
    for (const key of keys) {
      const opened = await open(bytes, key)
      if (opened === undefined) refused++
      else expect(readable(opened), `key ${Buffer.from(key).toString('hex')}`).to.deep.equal([])
    }
    return refused
  }

  it('opens to its plaintext with the right key', async () => {
    const opened = await open((await download()).bytes, Buffer.from(made.key, 'base64'))
    expect(readable(opened ?? Buffer.alloc(0))).to.include('picture')
  })

  it('never opens to its plaintext with any of 500 random keys', async () => {
    const refused = await tryAll(Array.from({ length: 500 }, () => randomBytes(32)))
    // Padding is right by chance for one key in 256.
    expect(refused).to.be.greaterThan(470)
  })

  it('never opens to its plaintext with a key one bit beside the right one', async () => {
    const right = Buffer.from(made.key, 'base64')
    const neighbours = Array.from({ length: 256 }, (_, bit) => {
      const key = Buffer.from(right)
      key.writeUInt8(key.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      return key
    })
    expect(new Set(neighbours.map((key) => key.toString('hex'))).size).to.equal(256)
    expect(await tryAll(neighbours)).to.be.greaterThan(235)
  })
})

describe('C05 own protected data as a token', () => {
  before(arrange)

  it('mints the token numbered by the address of the data to its signer', async () => {
    const { datasetRegistry, hub } = owner.contracts
    const id = BigInt(made.address)
    expect(id < 1n << 160n).to.equal(true)
    expect(await datasetRegistry.ownerOf(id)).to.equal(owner.account)
    expect(await datasetRegistry.balanceOf(owner.account)).to.equal(1n)
    expect(await datasetRegistry.tokenOfOwnerByIndex(owner.account, 0)).to.equal(id)
    expect((await hub.viewDataset(made.address)).owner).to.equal(owner.account)
    expect(made.owner).to.equal(owner.account)
  })
})
