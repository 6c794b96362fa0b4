import { freemem } from 'node:os'
import { Bytes } from '@sealdeal/protocol'
import { expect } from 'chai'
import { type AppLimits, type Cause, detectSandbox, type LaunchReturnType, launch, type RoomSizes } from './index.ts'
import type { Sandbox } from './sandbox.ts'
import { createWorld, type Wish, type World } from './testing/world.ts'

const mebibyte = 2 ** 20
const limits: AppLimits = { memory: 160 * mebibyte, processes: 64, cpuSeconds: 60, seconds: 50 }
const sizes: RoomSizes = { plaintext: 64 * mebibyte, output: 16 * mebibyte, scratch: 8 * mebibyte }

const shell = (script: string): Wish => ({
  app: { 'iapp.json': JSON.stringify({ entrypoint: ['sh', 'main.sh'] }), 'main.sh': script },
})
const node = (script: string): Wish => ({ app: { 'main.js': script } })

type Attack = { attack: string; wish: Wish; cause: Cause; says?: string; only?: Partial<AppLimits> }

const attacks: Attack[] = [
  {
    attack: 'a fork bomb',
    wish: shell('bomb() { bomb | bomb & }\nbomb 2>/dev/null &\nexec sleep 60'),
    cause: 'APP_COMPUTE_PROCESS_LIMIT_EXCEEDED',
    says: '64 processes',
  },
  {
    attack: 'many processes that take some memory each',
    wish: node(`const { fork } = require('node:child_process')
      globalThis.held = Buffer.alloc(4e7, 1)
      if (process.argv[2] !== 'child') for (let n = 0; n < 3; n++) fork(__filename, ['child'])
      setInterval(() => {}, 1000)`),
    cause: 'APP_COMPUTE_MEMORY_LIMIT_EXCEEDED',
    says: `${160 * mebibyte} bytes`,
  },
  {
    attack: 'an endless loop, by the processor time that it takes',
    wish: shell('while :; do :; done'),
    only: { cpuSeconds: 0.5 },
    cause: 'APP_COMPUTE_CPU_LIMIT_EXCEEDED',
    says: '0.5 seconds of processor time',
  },
  {
    attack: 'a sleep that outlives what the pool allows',
    wish: shell('sleep 60'),
    only: { seconds: 0.5 },
    cause: 'APP_COMPUTE_TIME_LIMIT_EXCEEDED',
    says: '0.5 seconds that this pool allows',
  },
  {
    attack: 'a full /tmp',
    wish: shell('cat /dev/zero > /tmp/zeros'),
    cause: 'APP_COMPUTE_DISK_LIMIT_EXCEEDED',
    says: `/tmp, for which this pool allows ${8 * mebibyte} bytes`,
  },
]

// Network, host files and time: launch.test.ts. Links, devices, names and sizes of outputs: outputs.test.ts.
describe('an app that attacks the machine it runs on', function () {
  this.timeout(120_000)
  let world: World
  let sandbox: Sandbox
  before(async () => {
    world = await createWorld()
    sandbox = await detectSandbox({ preference: 'auto', directory: world.directory })
  })
  after(() => world?.close())

  async function attempt({ wish, only }: Pick<Attack, 'wish' | 'only'>): Promise<LaunchReturnType> {
    const { launch: task } = await world.createTask(wish)
    return launch({ launch: task, directory: world.directory, sandbox, limits: { ...limits, ...only }, sizes })
  }

  for (const { attack, wish, cause, says = '', only } of attacks) {
    it(`meets its named end: ${attack}`, async () => {
      const answer = await attempt({ wish, ...(only && { only }) })
      if (!('failure' in answer)) return expect.fail('the attack succeeded')
      expect(answer.failure.cause, answer.failure.message).to.equal(cause)
      expect(answer.failure).to.have.property('retryable', false)
      expect(answer.failure, 'another pool may allow it: the task goes on').not.to.have.property('attested')
      expect(answer.failure.message).to.include(says)
    })
  }

  it('leaves the machine able to run an honest app within the same limits', async () => {
    expect(freemem()).to.be.greaterThan(limits.memory)
    const honest = `const fs = require('node:fs')
      fs.writeFileSync('/tmp/scratch', Buffer.alloc(4e6))
      fs.writeFileSync('/iexec_out/computed.json', '{"deterministic-output-path": "/iexec_out/result"}')
      fs.writeFileSync('/iexec_out/result', Buffer.alloc(4e6))`
    expect(await attempt({ wish: { ...node(honest), dataset: Bytes.fromUtf8('data') } })).to.have.property('outcome')
  })
})
