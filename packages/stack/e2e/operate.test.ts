// What whoever runs the services sees of each: is it alive, can it work, what does it count, what did it log.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import pg from 'pg'
import { programs, type ServiceName } from '../programs.ts'
import type { Stack } from '../stack.ts'
import { sharedStack } from '../testing/shared.ts'

const services = programs.filter((name) => name !== 'chain')

/** The storage keeps files, the worker a journal. */
const withoutDatabase: readonly ServiceName[] = ['storage', 'worker']

/** One line of the text format, version 0.0.4. */
const sample = /^[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="(\\.|[^"\\])*",?)*\})? (-?[\d.]+(e[+-]?\d+)?|NaN|[+-]Inf)( \d+)?$/

type Readiness = { ok: boolean; checks: Record<string, string> }

describe('operating the services', function () {
  this.timeout(90_000)
  let stack: Stack
  const urls = new Map<ServiceName, string>()
  before(async () => {
    stack = await sharedStack()
    for (const name of services) {
      const lines = await stack.process(name).lines()
      urls.set(name, String(lines.find(({ msg }) => msg === 'listening')?.url))
    }
    await everyone(services, (each) => each.ok)
  })

  async function readiness(name: ServiceName): Promise<Readiness> {
    const answer = await fetch(`${urls.get(name)}/ready`)
    const said = (await answer.json()) as Readiness
    expect(answer.status, name).to.equal(said.ok ? 200 : 503)
    return said
  }
  /** Waits until the readiness of each of them is as wished. */
  async function everyone(names: readonly ServiceName[], wished: (each: Readiness) => boolean): Promise<void> {
    await Promise.all(names.map((name) => until(name, () => readiness(name), wished)))
  }

  for (const name of services) {
    describe(name, () => {
      it('lives, and says what it counts in the text format of Prometheus', async () => {
        const health = await fetch(`${urls.get(name)}/health`)
        expect(health.status).to.equal(200)
        expect(await health.json()).to.include({ ok: true, name })
        await fetch(`${urls.get(name)}/openapi.json`)
        const metrics = await fetch(`${urls.get(name)}/metrics`)
        expect(metrics.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/)
        const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('# '))
        for (const line of lines) expect(line).to.match(sample)
        expect(lines.join('\n')).to.contain('process_cpu_seconds_total').and.contain('route="/openapi.json"')
      })

      it('sends the id of a request back, and logs it as JSON', async () => {
        const id = randomUUID()
        const answer = await fetch(`${urls.get(name)}/openapi.json?quiet=1`, { headers: { 'x-request-id': id } })
        expect(answer.headers.get('x-request-id')).to.equal(id)
        // The line is written when the answer has been sent.
        const written = async () => (await stack.process(name).lines()).find(({ request }) => request === id)
        const line = await until(name, written, (found) => found !== undefined)
        expect(line).to.include({ name, msg: 'answered', method: 'GET', path: '/openapi.json', status: 200 })
      })
    })
  }

  it('is not ready while its database is away, and is again when it is back', async () => {
    const kept = services.filter((name) => !withoutDatabase.includes(name))
    const database = (name: ServiceName) => new URL(stack.databaseUrl(name)).pathname.slice(1)
    const server = new URL(stack.databaseUrl('market'))
    server.pathname = '/postgres'
    const client = new pg.Client({ connectionString: server.href })
    await client.connect()
    const admit = async (whether: boolean) => {
      for (const name of kept) await client.query(`alter database ${database(name)} allow_connections ${whether}`)
    }
    try {
      await admit(false)
      await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = any($1)', [
        kept.map(database),
      ])
      await everyone(kept, ({ checks }) => checks.database !== 'ok')
      for (const name of withoutDatabase) expect((await readiness(name)).ok, name).to.equal(true)
    } finally {
      await admit(true)
      await client.end()
    }
    await everyone(services, ({ ok }) => ok)
  })

  it('is not ready while its chain is silent, and is again when it answers', async () => {
    const watching = services.filter((name) => name !== 'storage')
    stack.process('chain').kill('SIGSTOP')
    try {
      await everyone(watching, ({ checks }) => checks.chain !== 'ok')
      expect((await readiness('storage')).ok).to.equal(true)
    } finally {
      stack.process('chain').kill('SIGCONT')
    }
    await everyone(services, ({ ok }) => ok)
  })
})

async function until<Seen>(who: string, look: () => Promise<Seen>, wished: (seen: Seen) => boolean): Promise<Seen> {
  for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
    const seen = await look()
    if (wished(seen)) return seen
    if (Date.now() > deadline) expect.fail(`${who} still says ${JSON.stringify(seen)}`)
  }
}
