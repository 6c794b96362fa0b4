import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { createMoment, mayKill } from './moments.ts'

const silent = { info: () => {} }

describe('moments', () => {
  describe('when the process is told to die at a moment', () => {
    it('writes the line first, then is gone at once', async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        cwd: import.meta.dirname,
        env: { ...process.env, KILL_AT: 'second' },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let output = ''
      child.stdout.on('data', (chunk) => {
        output += chunk
      })
      const [code, signal] = await once(child, 'close')
      expect({ code, signal }).to.deep.equal({ code: null, signal: 'SIGKILL' })
      const moments = output
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).moment)
      expect(moments).to.deep.equal(['first', 'second'])
    }).timeout(20_000)
  })

  describe('when it is not armed', () => {
    it('lives on', () => {
      let killed = false
      const kill = () => {
        killed = true
      }
      createMoment({ log: silent, killAt: 'here', armed: false, kill })('here')
      expect(killed).to.equal(false)
    })
  })

  describe('mayKill', () => {
    it('is true in tests and on local chains only', () => {
      expect(mayKill({ chainId: 31337n, nodeEnv: undefined })).to.equal(true)
      expect(mayKill({ chainId: 42161, nodeEnv: 'test' })).to.equal(true)
      expect(mayKill({ chainId: 42161n, nodeEnv: 'production' })).to.equal(false)
    })
  })
})

const program = `
import { createLog } from './log.ts'
import { createMoment } from './moments.ts'
const moment = createMoment({ log: createLog({ name: 'test' }), killAt: process.env.KILL_AT, armed: true })
for (const name of ['first', 'second', 'third']) moment(name)
`
