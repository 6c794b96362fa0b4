import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, type Hex } from '@sealdeal/protocol'
import { expect } from 'chai'
import { openWorld, readLog, until, type World } from '../scheduler/testing/world.ts'
import { writeSecretFile } from '../stack/accounts.ts'
import type { Process } from '../stack/processes.ts'

type View = {
  currentStatus: string
  settlement?: string
  cause?: string
  remedy?: string
  transactionHash?: Hex
  dateStatusList: { status: string }[]
  replicates: { attempt: number; currentStatus: string; statusUpdateList: { status: string }[] }[]
}

describe('worker', function () {
  this.timeout(90_000)
  let world: World
  let url: string
  let count = 0
  before(async () => {
    world = await openWorld()
    url = (await world.startScheduler({ WORKER_SILENCE_MS: '1500' })).url
    writeSecretFile(join(world.directory, 'broker'), world.broker.privateKey)
  })
  after(() => world?.close())
  // A worker that a failed test left behind must not work for the next one.
  const workers: Process[] = []
  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.stop())))

  async function startWorker(env: Record<string, string> = {}): Promise<Process> {
    const worker = await world.start('worker', 'worker/testing/worker.ts', {
      SCHEDULER_URL: url,
      SMS_URL: 'http://127.0.0.1:1',
      STORAGE_URL: 'http://127.0.0.1:1',
      TEE_PLATFORM_FILE: 'none',
      WALLET_KEY_FILE: join(world.directory, 'worker'),
      WORK_DIRECTORY: join(world.directory, `work-${count}`),
      BROKER_KEY_FILE: join(world.directory, 'broker'),
      ...env,
    })
    workers.push(worker)
    return worker
  }
  async function view(taskId: Hex): Promise<View | undefined> {
    const answer = await fetch(`${url}/tasks/${taskId}`)
    return answer.ok ? ((await answer.json()) as View) : undefined
  }
  const seen = (taskId: Hex, status: string) =>
    until(`task ${status}`, async () => {
      const found = await view(taskId)
      return found?.currentStatus === status && found
    })
  const leftovers = async () =>
    (
      await Promise.all(['journal', 'outbox'].map((name) => readdir(join(world.directory, `work-${count}`, name))))
    ).flat()
  /** What the worker was paid for tasks so far, in units of the token. */
  const earned = () => world.hub.balanceOf(world.wallets.worker.address)

  describe('given a deal of three tasks', () => {
    it('brings each to completion, is paid for each once, and leaves nothing behind', async () => {
      const worker = await startWorker()
      const before = await earned()
      const { taskIds } = await world.matchDeal({ size: 3n })
      for (const taskId of taskIds) {
        const task = await seen(taskId, 'COMPLETED')
        expect(task.replicates).to.have.length(1)
        expect(task.replicates[0]?.statusUpdateList.map(({ status }) => status)).to.include.members([
          'STARTED',
          'APP_DOWNLOADED',
          'COMPUTED',
          'RESULT_UPLOADED',
          'COMPLETED',
        ])
        const receipt = await world.provider.getTransactionReceipt(task.transactionHash ?? '')
        expect(receipt?.from).to.equal(world.wallets.worker.address)
      }
      // 1 % of the pool's price is the scheduler's.
      expect((await earned()) - before).to.equal((3n * 1_000_000_000n * 99n) / 100n)
      await until('an empty journal', async () => (await leftovers()).length === 0)
      await worker.stop()
    })
  })

  describe('when it is killed -9', () => {
    beforeEach(() => {
      count++
    })
    const moments = [
      ['lease taken', 2],
      ['enclave launched', 2],
      ['outcome received', 1],
      ['initialized', undefined],
      ['sent contributeAndFinalize', 1],
    ] as const
    for (const [name, attempts] of moments) {
      it(`at "${name}", the task completes after a restart, and is paid once`, async () => {
        const before = await earned()
        const victim = await startWorker({ KILL_AT: name })
        const { taskIds } = await world.matchDeal()
        const taskId = taskIds[0] as Hex
        expect(await victim.ended).to.deep.include({ signal: 'SIGKILL' })
        expect((await readLog(victim)).at(-1)?.moment).to.equal(name)
        const heir = await startWorker()
        const task = await seen(taskId, 'COMPLETED')
        if (attempts) expect(task.replicates).to.have.length(attempts)
        expect((await earned()) - before).to.equal((1_000_000_000n * 99n) / 100n)
        await until('an empty journal', async () => (await leftovers()).length === 0)
        await heir.stop()
      })
    }
  })

  describe('when the enclave attests a fault of the data', () => {
    const frozen = () => world.hub.frozenOf(world.wallets.researcher.address)
    for (const moment of ['failure received', 'sent settleFailure']) {
      it(`ends the task on chain, though it is killed -9 at "${moment}": the payer is refunded, nobody is punished`, async () => {
        count++
        const before = await Promise.all([frozen(), earned(), world.hub.frozenOf(world.wallets.poolOwner.address)])
        const worker = await startWorker({ TEST_ENCLAVE: 'fail', KILL_AT: moment })
        const { taskIds } = await world.matchDeal()
        const taskId = taskIds[0] as Hex
        expect(await worker.ended).to.deep.include({ signal: 'SIGKILL' })
        await startWorker()
        const task = await until('its end on chain', async () => {
          const found = await view(taskId)
          return found?.settlement !== undefined && found
        })
        const cause = 'PRE_COMPUTE_INVALID_DATASET_CHECKSUM'
        expect(task).to.deep.include({ currentStatus: 'FAILED', settlement: 'failed', cause })
        expect(task.remedy).to.match(/protect it again/)
        const ends = await world.hub.queryFilter(world.hub.filters.TaskFailed(taskId))
        expect(ends.map(({ args }) => Failure.nameOf(args.cause))).to.deep.equal([cause])
        const after = await Promise.all([frozen(), earned(), world.hub.frozenOf(world.wallets.poolOwner.address)])
        expect(after).to.deep.equal(before)
        await until('an empty journal', async () => (await leftovers()).length === 0)
      })
    }
  })

  describe('when the enclave dies', () => {
    it('tries again, and another worker may finish', async () => {
      count++
      const unlucky = await startWorker({ TEST_ENCLAVE: 'die' })
      const { taskIds } = await world.matchDeal()
      const taskId = taskIds[0] as Hex
      await until('the first failure', async () => (await view(taskId))?.replicates[0]?.currentStatus === 'FAILED')
      await unlucky.stop()
      const lucky = await startWorker()
      const task = await seen(taskId, 'COMPLETED')
      expect(task.replicates.length).to.be.greaterThan(1)
      expect(task).not.to.have.property('cause')
      await lucky.stop()
    })
  })

  describe('when it hangs and is stopped for good', () => {
    it('loses the task to another worker', async () => {
      count++
      const hanging = await startWorker({ TEST_ENCLAVE: 'hang' })
      const { taskIds } = await world.matchDeal()
      const taskId = taskIds[0] as Hex
      await seen(taskId, 'RUNNING')
      hanging.kill('SIGKILL')
      writeSecretFile(join(world.directory, 'stranger'), world.wallets.stranger.privateKey)
      count++
      const other = await startWorker({ WALLET_KEY_FILE: join(world.directory, 'stranger') })
      const task = await seen(taskId, 'COMPLETED')
      expect(task.replicates.map(({ currentStatus }) => currentStatus)).to.deep.equal(['WORKER_LOST', 'COMPLETED'])
      await other.stop()
    })
  })

  describe('given a wallet that cannot pay for gas', () => {
    it('takes no work, and says so', async () => {
      count++
      await world.provider.send('hardhat_setBalance', [world.wallets.worker.address, '0x1'])
      const worker = await startWorker()
      const { taskIds } = await world.matchDeal()
      await until('the complaint', async () =>
        (await readLog(worker)).some((line) => JSON.stringify(line).includes('GasBalanceTooLowError')),
      )
      expect((await view(taskIds[0] as Hex))?.currentStatus).to.equal('RECEIVED')
      await worker.stop()
    })
  })
})
