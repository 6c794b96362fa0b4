import { Secret } from '@sealdeal/protocol'
import { expect } from 'chai'
import { Wallet } from 'ethers'
import { type Entry, verifyAudit } from './auditLog.ts'
import { fullParams, memoryChain } from './testing/chain.ts'
import { attempt, openWorld, type World } from './testing/world.ts'

const canary = 'CANARY-6c1f0d9e-in-a-secret'

describe('a secret that is looked for', function () {
  this.timeout(60_000)
  let world: World
  before(async () => {
    world = await openWorld(async (wall) => memoryChain(wall))
  })
  after(() => world.close())

  it('is neither in the database nor in the log, whatever was asked, and is in the enclave', async () => {
    const standing = await world.matchDeal({ params: fullParams })
    const { deal } = standing
    const { app, dataset, requester } = world.owners
    await store(
      'POST',
      `/secrets/web3?secretAddress=${deal.dataset.pointer}`,
      { address: deal.dataset.pointer },
      dataset,
    )
    await store('POST', `/apps/${deal.app.pointer}/secrets`, { address: deal.app.pointer, name: '1' }, app)
    const address = deal.requester
    await store('POST', `/requesters/${address}/secrets/token`, { address, name: 'token' }, requester)
    const name = Secret.reserved.resultKey
    const web2 = `/secrets/web2?ownerAddress=${address}&secretName=${name}`
    await store('POST', web2, { address, name }, requester)
    await store('PUT', web2, { address, name }, requester)
    // Refusals may be tempted to quote what they refuse.
    const stranger = new Wallet(Wallet.createRandom().privateKey)
    expect(await push('POST', web2, { address, name }, stranger, canary)).to.equal(401)
    expect(await push('POST', web2, { address, name }, requester, canary)).to.equal(409)
    expect(await push('POST', web2, { address, name }, requester, canary.repeat(400))).to.equal(413)

    const outcome = await attempt(world, standing)
    const content = await outcome.open()
    const values = [content.dataset?.key, content.secrets.app, content.secrets.requester[1], content.resultKey]
    expect(values).to.deep.equal([canary, canary, canary, canary])
    await attempt(world, standing, { attempt: 2n, mrTd: `0x${'44'.repeat(48)}` })

    expect(sightings(JSON.stringify(outcome.body)), 'the sealed answer').to.deep.equal([])
    const dump = await dumpDatabase()
    expect(dump).to.contain(standing.deal.dataset.pointer.toLowerCase())
    expect(sightings(dump), 'the database').to.deep.equal([])
    const lines: string[] = []
    const onEntry = (entry: Entry) => lines.push(JSON.stringify(entry))
    expect((await verifyAudit({ database: world.database, onEntry })).problems).to.deep.equal([])
    const audit = lines.join('\n')
    for (const told of ['"stored"', '"session"', '"refused"', deal.dataset.pointer.toLowerCase()]) {
      expect(audit).to.contain(told)
    }
    expect(sightings(audit), 'the audit log').to.deep.equal([])
    expect(world.logged()).to.contain('/secrets/web3')
    expect(sightings(world.logged()), 'the log').to.deep.equal([])
  })

  it('would be found in each of its forms', () => {
    for (const form of forms()) expect(sightings(`before ${form} behind`)).to.not.deep.equal([])
  })

  type Named = { address: `0x${string}`; name?: string }

  async function push(method: string, path: string, secret: Named, owner: Wallet, value: string): Promise<number> {
    const authorization = await Secret.authorize({ ...secret, value }, owner)
    const response = await fetch(`${world.url}${path}`, {
      method,
      body: value,
      headers: { 'content-type': 'text/plain', authorization },
    })
    expect(sightings(await response.text()), 'an answer').to.deep.equal([])
    return response.status
  }

  async function store(method: string, path: string, secret: Named, owner: Wallet): Promise<void> {
    expect(await push(method, path, secret, owner, canary), path).to.equal(204)
  }

  async function dumpDatabase(): Promise<string> {
    const tables = await world.database.query<{ tablename: string }>(
      `select tablename from pg_tables where schemaname = 'public'`,
    )
    const rows = await Promise.all(
      tables.map(({ tablename }) => world.database.query(`select t::text as line from "${tablename}" t`)),
    )
    return rows
      .flat()
      .map(({ line }) => String(line))
      .join('\n')
  }
})

/** The canary as text, hexadecimal, base64 at each of the three offsets, and UTF-16 in hexadecimal. */
function forms(): string[] {
  const bytes = Buffer.from(canary)
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  )
  return [canary, bytes.toString('hex'), Buffer.from(canary, 'utf16le').toString('hex'), ...base64]
}

function sightings(text: string): string[] {
  return forms().filter((form) => text.includes(form))
}
