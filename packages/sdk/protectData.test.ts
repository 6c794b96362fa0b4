import { Checksum, connectDataset, Locator, ProtectedData } from '@sealdeal/protocol'
import { expect } from 'chai'
import { type Client, protectData, type Status } from './index.ts'
import { type Chain, createChain, openCounter, openServices } from './testing/world.ts'

describe('protectData', function () {
  this.timeout(60_000)
  let chain: Chain
  let services: Awaited<ReturnType<typeof openServices>>
  let owner: Client

  before(async () => {
    chain = await createChain()
    services = await openServices(chain)
    owner = await chain.client({ endpoints: services.endpoints })
  })
  after(() => services?.close())

  const file = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52)
  const data = { email: 'canary@b.c', age: 42, id: 1n << 80n, alive: true, nested: { scan: new Blob([file]) } }

  it('protects an object of every kind so that its key, and only its key, opens it (C01, C02, C04-C06)', async () => {
    const steps: Status[] = []
    const made = await protectData(owner, { name: 'records', data, onStatus: (status) => steps.push(status) })

    const response = await fetch(Locator.toUrl(made.multiaddr, { gateway: services.endpoints.storage }))
    const stored = new Uint8Array(await response.arrayBuffer())
    expect(response.status).to.equal(200)
    expect(Checksum.of(stored)).to.equal(made.checksum)
    expect(Buffer.from(stored).includes('canary')).to.equal(false)
    const zip = await ProtectedData.decrypt(stored, made.key)
    const opened = await ProtectedData.read(zip, made.schema)
    expect(opened).to.deep.equal({ ...data, nested: { scan: file } })

    const dataset = connectDataset(made.address, owner.provider)
    expect(await dataset.m_datasetChecksum()).to.equal(made.checksum)
    expect(await dataset.m_datasetMultiaddr()).to.equal(made.multiaddr)
    expect(await dataset.m_datasetName()).to.equal('records')
    expect(await owner.contracts.datasetRegistry.ownerOf(BigInt(made.address))).to.equal(owner.account)
    const [event] =
      (await owner.dataProtector?.queryFilter(owner.dataProtector.filters.DatasetSchema(made.address))) ?? []
    expect(JSON.parse(event?.args.schema ?? '')).to.deep.equal({
      email: 'string',
      age: 'f64',
      id: 'i128',
      alive: 'bool',
      nested: { scan: 'image/png' },
    })
    expect(await services.secrets.read({ kind: 'dataset', owner: made.address })).to.equal(made.key)

    // C09: seven named steps, each begun, then done.
    const titles = [
      'EXTRACT_DATA_SCHEMA',
      'CREATE_ZIP_FILE',
      'CREATE_ENCRYPTION_KEY',
      'ENCRYPT_FILE',
      'UPLOAD_ENCRYPTED_FILE',
      'DEPLOY_PROTECTED_DATA',
      'PUSH_SECRET_TO_SMS',
    ]
    expect(steps.map(({ title, isDone }) => [title, isDone])).to.deep.equal(
      titles.flatMap((title) => [
        [title, false],
        [title, true],
      ]),
    )
    expect(JSON.stringify(steps)).to.not.include(made.key)
  })

  it('refuses unusable data before anything is sent (C03)', async () => {
    const counter = await openCounter()
    const client = await chain.client({ endpoints: counter.endpoints })
    const bad: [unknown, string][] = [
      [[], 'data'],
      [null, 'data'],
      [{ 'a.b': 1 }, 'data'],
      [{ a: Number.NaN }, 'data.a'],
      [{ a: { b: 1n << 127n } }, 'data.a.b'],
      [{ a: undefined }, 'data.a'],
    ]
    const sent = await client.provider.getTransactionCount(client.account)
    for (const [data, path] of bad) {
      const error = await protectData(client, { data: data as ProtectedData.Data }).catch((error) => error)
      expect(error.name).to.equal('InvalidValueError')
      expect(error.path).to.equal(path)
    }
    expect(counter.requests()).to.equal(0)
    expect(await client.provider.getTransactionCount(client.account)).to.equal(sent)
    counter.close()
  })

  it('says that storage failed, and makes no token then', async () => {
    const counter = await openCounter()
    const client = await chain.client({ endpoints: counter.endpoints })
    const error = await protectData(client, { data }).catch((error) => error)
    expect(error.name).to.equal('ServiceUnavailableError')
    expect(error.message).to.contain('storage')
    expect(await client.contracts.datasetRegistry.balanceOf(client.account)).to.equal(0n)
    counter.close()
  })

  it('can go on when only the key did not arrive', async () => {
    const client = await chain.client({ endpoints: services.endpoints })
    const lost = { ...client, endpoints: { ...services.endpoints, sms: 'http://127.0.0.1:9' } }
    const error = await protectData(lost, { data }).catch((error) => error)
    expect(error.name).to.equal('KeyNotPushedError')
    const id = { kind: 'dataset', owner: error.protectedData } as const
    expect(await services.secrets.has(id)).to.equal(false)
    lost.endpoints.sms = services.endpoints.sms
    await error.resume()
    expect(await services.secrets.has(id)).to.equal(true)
    expect((await error.resume().catch((error: Error) => error)).name).to.equal('SecretExistsError')
  })
})
