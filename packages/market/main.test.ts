import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { createWorld, type World } from './testing/world.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

describe('the market as a process', function () {
  this.timeout(60_000)
  let world: World
  before(async () => {
    world = await createWorld()
  })
  after(() => world.close())

  async function start() {
    const env = {
      PATH: process.env.PATH,
      CHAIN_URL: world.chain.url,
      HUB_ADDRESS: world.hub,
      DATABASE_URL: world.databaseUrl,
      EXIT_ON_STDIN_EOF: '1',
    }
    const child = spawn(process.execPath, [main], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg, url } = JSON.parse(line) as { msg: string; url?: string }
      if (msg === 'listening' && url) return { child, url }
    }
    throw new Error('the market did not start')
  }
  async function untilReady(url: string): Promise<void> {
    while ((await fetch(`${url}/ready`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  it('serves what it knew before it was killed, and ends with whoever started it', async () => {
    const owner = await world.wallet()
    const app = await world.createApp(owner)
    const { hash } = await world.publish('app', owner, { app })

    const first = await start()
    await untilReady(first.url)
    first.child.kill('SIGKILL')
    await once(first.child, 'close')

    const second = await start()
    await untilReady(second.url)
    const answer = await fetch(`${second.url}/apporders/${hash}?chainId=31337`)
    expect(await answer.json()).to.include({ ok: true, status: 'open' })
    second.child.stdin.end()
    const [code] = await once(second.child, 'close')
    expect(code).to.equal(0)
  })
})
