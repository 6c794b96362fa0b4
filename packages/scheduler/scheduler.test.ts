import { randomBytes } from 'node:crypto'
import { type Address, Bytes, type Hex, Lease, Printed, Result } from '@sealdeal/protocol'
import { signRequest } from '@sealdeal/server'
import { expect } from 'chai'
import { TypedDataEncoder, Wallet } from 'ethers'
import type { Process } from '../stack/processes.ts'
import { forgetPrinted } from './printed.ts'
import { openWorld, readLog, until, type World } from './testing/world.ts'
import type { TaskView } from './view.ts'

describe('scheduler', function () {
  this.timeout(60_000)
  let world: World
  let url: string
  let first: Process
  before(async () => {
    world = await openWorld()
    ;({ url, program: first } = await world.startScheduler({ WORKER_SILENCE_MS: '1000' }))
  })
  after(() => world?.close())
  // Every task comes to its end before the next test: an open one would be leased there.
  afterEach(async () => {
    await world.wait(3_001)
    await until('the end of all tasks', async () => {
      const open = await world.database.query('select 1 from task where settlement is null')
      return open.length === 0
    })
  })

  type Told = { status: number; body: Record<string, unknown> }
  async function tell(signer: Wallet, path: string, body: unknown, at = url): Promise<Told> {
    const text = JSON.stringify(body)
    const domain = { chainId: 31337n, hub: world.deployment.hub, service: 'scheduler' }
    const authorization = await signRequest({ signer, domain, method: 'POST', path, body: text })
    return post(at + path, text, authorization)
  }
  async function post(target: string, body: string, authorization: string): Promise<Told> {
    const headers = { 'content-type': 'application/json', authorization }
    const response = await fetch(target, { method: 'POST', headers, body })
    return { status: response.status, body: response.status === 204 ? {} : await response.json() }
  }
  async function worker(at = url): Promise<Wallet> {
    const wallet = new Wallet(`0x${randomBytes(32).toString('hex')}`)
    expect((await tell(wallet, '/workers', { name: 'test' }, at)).status).to.equal(200)
    return wallet
  }
  async function view(taskId: Hex): Promise<TaskView> {
    return (await (await fetch(`${url}/tasks/${taskId}`)).json()) as TaskView
  }

  describe('given a deal on chain', () => {
    it('leases its task to a waiting worker, signed so that everyone can check it', async () => {
      const wallet = await worker()
      const asking = tell(wallet, '/leases', { wait: 10 })
      const { dealId, taskIds } = await world.matchDeal()
      const { status, body } = await asking
      expect(status).to.equal(200)
      expect(body).to.deep.include({ dealId, taskId: taskIds[0], index: '0', attempt: '1', worker: wallet.address })
      expect(body.app).to.deep.include({ address: world.app, type: 'BUNDLE', multiaddr: '0xa503' })
      const signed = {
        task: taskIds[0] as Hex,
        worker: wallet.address as Address,
        attempt: 1n,
        expiry: BigInt(String(body.expiry)),
      }
      const domain = Lease.domain({ chainId: 31337n, hub: world.deployment.hub })
      expect(Lease.recover(signed, body.signature as Hex, domain)).to.equal(world.wallets.poolOwner.address)
    })

    it('leases it again when the worker falls silent', async () => {
      const wallet = await worker()
      const { taskIds } = await world.matchDeal()
      expect((await tell(wallet, '/leases', { wait: 10 })).body).to.deep.include({ taskId: taskIds[0] })
      const other = await worker()
      const since = Date.now()
      const { body } = await until('the second lease', async () => {
        const told = await tell(other, '/leases', { wait: 5 })
        return told.body.taskId === taskIds[0] && told
      })
      expect(body.attempt).to.equal('2')
      expect(Date.now() - since).to.be.within(300, 5_000)
      const late = await tell(wallet, `/leases/${taskIds[0]}/heartbeat`, { attempt: '1' })
      expect(late).to.deep.include({ status: 409 })
    })
  })

  describe('when two replicas serve eight workers', () => {
    it('leases each of thirty tasks once', async () => {
      const second = await world.startScheduler()
      try {
        const workers = await Promise.all(Array.from({ length: 8 }, () => worker()))
        const { taskIds } = await world.matchDeal({ size: 30n, price: 0n })
        const taken: string[] = []
        async function labour(wallet: Wallet, at: string): Promise<void> {
          const holding: string[] = []
          // Nobody beats here: second attempts are handed out too, and do not count.
          while (taken.length < taskIds.length) {
            const { body } = await tell(wallet, '/leases', { holding, wait: 1 }, at)
            if (body.taskId) holding.push(String(body.taskId))
            if (body.attempt === '1') taken.push(String(body.taskId))
          }
        }
        await Promise.all(workers.map((wallet, index) => labour(wallet, index % 2 ? url : second.url)))
        expect(taken.sort()).to.deep.equal([...taskIds].sort())
      } finally {
        await second.program.stop()
      }
    })
  })

  describe('when nobody known asks', () => {
    it('refuses requests without, with a used, and with a foreign signature', async () => {
      const wallet = await worker()
      const path = '/leases'
      const body = JSON.stringify({ wait: 0 })
      const domain = { chainId: 31337n, hub: world.deployment.hub, service: 'scheduler' }
      const authorization = await signRequest({ signer: wallet, domain, method: 'POST', path, body })
      expect((await post(url + path, body, authorization)).status).to.be.oneOf([200, 204])
      expect((await post(url + path, body, authorization)).status).to.equal(401)
      expect((await post(url + path, JSON.stringify({ wait: 1 }), authorization)).status).to.equal(401)
      expect((await post(url + path, body, '')).status).to.equal(401)
      const stranger = new Wallet(`0x${randomBytes(32).toString('hex')}`)
      expect((await tell(stranger, path, { wait: 0 })).status).to.equal(403)
    })
  })

  describe('GET /tasks/:taskId', () => {
    it('answers 404 for tasks it does not know, in words', async () => {
      const response = await fetch(`${url}/tasks/0x${'ab'.repeat(32)}`)
      expect(response.status).to.equal(404)
      expect(((await response.json()) as { error: string }).error).to.match(/not known to this pool/)
    })
  })

  describe('given what an app printed', () => {
    let sealed: { stdout: string; stderr: string }
    before(async () => {
      const { publicKey } = await Result.generateKeyPair({ bits: 2048 })
      const seal = (text: string) => Printed.seal(Bytes.fromUtf8(text), { publicKey })
      sealed = { stdout: await seal('out'), stderr: await seal('err') }
    })
    const leased = async (wallet: Wallet) => {
      const { taskIds } = await world.matchDeal()
      const taskId = taskIds[0] as Hex
      await until('the lease', async () => (await tell(wallet, '/leases', { wait: 5 })).body.taskId === taskId)
      return { taskId, hand: (body: unknown, by = wallet) => tell(by, `/leases/${taskId}/printed`, body) }
    }
    /** As published clients ask: a challenge, its digest, signature and address. */
    async function challengeOf(signer: Wallet): Promise<string> {
      const challenge = await fetch(`${url}/tasks/logs/challenge?chainId=31337&address=${signer.address}`)
      expect(challenge.headers.get('cache-control')).to.equal('no-store')
      const { domain, types, message, primaryType } = await challenge.json()
      expect({ domain, primaryType }).to.deep.equal({
        domain: { name: 'iExec Core', version: '1', chainId: 31337 },
        primaryType: 'Challenge',
      })
      const { EIP712Domain: _, ...signed } = types
      const signature = await signer.signTypedData(domain, signed, message)
      return `${TypedDataEncoder.hash(domain, signed, message)}_${signature}_${signer.address}`
    }
    const logsOf = async (taskId: Hex, authorization: string) =>
      fetch(`${url}/tasks/${taskId}/logs`, { headers: { authorization } })

    it('keeps it sealed, gives it to the requester only, and a challenge counts once', async () => {
      const { researcher, company } = world.wallets
      const wallet = await worker()
      const { taskId, hand } = await leased(wallet)
      const empty = await logsOf(taskId, await challengeOf(researcher))
      expect([empty.status, (await empty.json()).error]).to.deep.equal([
        404,
        `Nothing is kept of what the app of task "${taskId}" printed.`,
      ])

      expect((await hand({ attempt: '1', ...sealed })).status).to.equal(204)
      const authorization = await challengeOf(researcher)
      const given = await logsOf(taskId, authorization)
      expect(await given.json()).to.deep.equal({ computeLogsList: [{ walletAddress: wallet.address, ...sealed }] })
      expect(given.headers.get('cache-control')).to.equal('no-store')
      expect((await logsOf(taskId, authorization)).status).to.equal(401)
      expect((await fetch(`${url}/tasks/${taskId}/logs`)).status).to.equal(401)
      expect((await logsOf(taskId, await challengeOf(company))).status).to.equal(403)
      expect((await logsOf(`0x${'51'.repeat(32)}`, await challengeOf(researcher))).status).to.equal(404)
      expect((await fetch(`${url}/tasks/logs/challenge?chainId=1&address=${researcher.address}`)).status).to.equal(400)
    })

    it('takes it once per attempt, from who holds or held the lease, and nothing that is not sealed', async () => {
      const wallet = await worker()
      const { taskId, hand } = await leased(wallet)
      const other = await worker()
      expect((await hand({ attempt: '1', ...sealed }, other)).status).to.equal(409)
      expect((await hand({ attempt: '2', ...sealed })).status).to.equal(409)
      for (const stdout of [
        'the patient is healthy',
        `${sealed.stdout}the patient is healthy`,
        sealed.stdout.repeat(3),
      ]) {
        const { status, body } = await hand({ attempt: '1', ...sealed, stdout })
        expect(status).to.equal(400)
        expect(JSON.stringify(body)).to.include('stdout').and.to.not.include('healthy')
      }
      const failure = { cause: 'APP_COMPUTE_FAILED', message: 'It failed.' }
      expect((await tell(wallet, `/leases/${taskId}/outcome`, { attempt: '1', failure })).status).to.equal(200)
      expect((await hand({ attempt: '1', ...sealed })).status).to.equal(204)
      expect((await hand({ attempt: '1', stdout: sealed.stderr, stderr: sealed.stdout })).status).to.equal(204)
      const kept = await world.database.query('select stdout, stderr from printed where task_id = $1', [taskId])
      expect(kept).to.deep.equal([sealed])
    })

    it('forgets it after the days that the pool says', async () => {
      const { taskId, hand } = await leased(await worker())
      await hand({ attempt: '1', ...sealed })
      const left = async () => (await world.database.query('select 1 from printed where task_id = $1', [taskId])).length
      await world.database.query(`update printed set at = now() - interval '6 days 23 hours' where task_id = $1`, [
        taskId,
      ])
      await forgetPrinted(world.database, { days: 7 })
      expect(await left()).to.equal(1)
      await world.database.query(`update printed set at = now() - interval '7 days 1 second' where task_id = $1`, [
        taskId,
      ])
      await forgetPrinted(world.database, { days: 7 })
      expect(await left()).to.equal(0)
    })
  })

  describe('given a task that nobody finished', () => {
    it('claims it after its final deadline: the payer is refunded', async () => {
      const { taskIds } = await world.matchDeal({ size: 2n })
      const payer = world.wallets.researcher.address
      const locked = await world.hub.frozenOf(payer)
      expect(locked >= 2_000_000_000n).to.equal(true)
      await until('the task is stored', async () => (await fetch(`${url}/tasks/${taskIds[1]}`)).ok)
      await world.wait(3_001)
      for (const taskId of taskIds) {
        const seen = await until('the claim', async () => {
          const found = await view(taskId)
          return found.settlement && found
        })
        expect(seen).to.deep.include({ currentStatus: 'FAILED', settlement: 'claimed' })
        expect(seen.remedy).to.be.a('string')
        expect((await world.hub.viewTask(taskId)).status).to.equal(4n)
      }
      await until('the refund', async () => (await world.hub.frozenOf(payer)) === 0n)
    })
  })

  describe('when it is killed -9', () => {
    // A replica would do the work of the one that dies.
    before(() => first.stop())

    for (const name of ['deal seen', 'task stored', 'lease signed', 'outcome received', 'completion seen']) {
      it(`at "${name}", goes on where it was after a restart`, async () => {
        const victim = await world.startScheduler({ KILL_AT: name, WORKER_SILENCE_MS: '1000' })
        const { program } = victim
        let ended = false
        program.ended.then(() => {
          ended = true
        })
        const wallet = await worker(victim.url)
        const { taskIds } = await world.matchDeal({ price: 0n })
        const taskId = taskIds[0] as Hex
        if (name === 'completion seen') await world.wait(3_001)
        const provoke = async () => {
          const { body } = await tell(wallet, '/leases', { wait: 1 }, victim.url)
          const outcome = { attempt: '1', failure: { cause: 'WORKER_LOST', message: 'test' } }
          await tell(wallet, `/leases/${body.taskId ?? taskId}/outcome`, outcome, victim.url)
        }
        await until(`death at "${name}"`, async () => {
          if (!ended) await provoke().catch(() => {})
          return ended
        })
        expect(await program.ended).to.deep.include({ signal: 'SIGKILL' })
        expect((await readLog(program)).at(-1)?.moment).to.equal(name)
        const healed = await world.startScheduler({ WORKER_SILENCE_MS: '1000' })
        const read = async () => (await (await fetch(`${healed.url}/tasks/${taskId}`)).json()) as TaskView
        if (name !== 'completion seen') {
          const other = await worker(healed.url)
          await until('a lease', async () => {
            const { body } = await tell(other, '/leases', { wait: 1 }, healed.url)
            return body.taskId === taskId
          })
          await world.wait(3_001)
        }
        const seen = await until('the end of the task', async () => {
          const found = await read()
          return found.settlement && found
        })
        expect(seen).to.deep.include({ settlement: 'claimed', currentStatus: 'FAILED' })
        expect((await world.hub.viewTask(taskId)).status).to.equal(4n)
        await healed.program.stop()
      })
    }
  })
})
