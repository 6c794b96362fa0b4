import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const holder = fileURLToPath(new URL('./testing/lifecycleHolder.ts', import.meta.url))

function start(env: Record<string, string> = {}): {
  child: ChildProcess
  output: () => string
  started: Promise<void>
} {
  const child = spawn(process.execPath, [holder], { env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' })
  let text = ''
  const started = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        text += chunk
        if (text.includes('started')) resolve()
      })
    }
  })
  return { child, output: () => text, started }
}
async function exit(child: ChildProcess): Promise<number | null> {
  return child.exitCode ?? (await once(child, 'close'))[0]
}

describe('runProcess', function () {
  this.timeout(20_000)

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`closes in reverse order on ${signal}`, async () => {
      const { child, output, started } = start()
      await started
      child.kill(signal)
      expect(await exit(child)).to.equal(0)
      expect(output()).to.match(/last opened, first closed\n[\s\S]*first opened, last closed\n/)
    })
  }

  it('ends with its standard input when asked to', async () => {
    const { child, output, started } = start({ EXIT_ON_STDIN_EOF: '1' })
    await started
    child.stdin?.end()
    expect(await exit(child)).to.equal(0)
    expect(output()).to.contain('end of standard input').and.to.contain('first opened, last closed')
  })

  it('leaves after five seconds whatever hangs', async () => {
    const { child, started } = start({ HANG: '1' })
    await started
    const since = Date.now()
    child.kill('SIGTERM')
    expect(await exit(child)).to.equal(1)
    expect(Date.now() - since).to.be.within(4_500, 7_000)
  })

  it('says in plain words why it did not start', async () => {
    const broken = start({ BREAK: '1' })
    expect(await exit(broken.child)).to.equal(1)
    expect(broken.output()).to.contain('holder did not start: broken on purpose')
    const wrong = start({ PORT: 'x' })
    expect(await exit(wrong.child)).to.equal(1)
    expect(wrong.output()).to.match(
      /^holder did not start: 1 variable is missing or wrong.\nPORT: must be a whole number/,
    )
  })
})
