import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { replayRtmr3 } from '@sealdeal/attestation'
import { expect } from 'chai'
import { appEvents, measureFiles, measureRuntime, runtimeFiles } from './measure.ts'

const sha384 = (content: string | Uint8Array) => createHash('sha384').update(content).digest('hex')

describe('measurement', () => {
  it('is sha384 over one line for each file, sorted by name', () => {
    const lines = runtimeFiles().map(({ name, path }) => `${sha384(readFileSync(path))} ${name}\n`)
    expect(measureRuntime()).to.equal(`0x${sha384(lines.join(''))}`)
    const names = runtimeFiles().map(({ name }) => name)
    expect(names).to.deep.equal([...names].sort())
  })

  it('covers what runs inside, and neither tests nor the place of the clone', () => {
    const names = runtimeFiles().map(({ name }) => name)
    expect(names).to.include.members(['enclave/main.ts', 'enclave/run.ts', 'enclave/inner.sh', 'enclave/outer.sh'])
    expect(names).to.include.members(['protocol/Session.ts', 'attestation/simulateQuote.ts', 'enclave/package.json'])
    expect(names.filter((name) => /\.test\.|node_modules|fixtures|^\/|enclave\/test/.test(name))).to.deep.equal([])
  })

  it('changes with one byte of a file, with its name and with the set of files', () => {
    const content = Uint8Array.of(1, 2, 3)
    const measured = [
      measureFiles([{ name: 'a.ts', content }]),
      measureFiles([{ name: 'a.ts', content: Uint8Array.of(1, 2, 4) }]),
      measureFiles([{ name: 'b.ts', content }]),
      measureFiles([
        { name: 'a.ts', content },
        { name: 'b.ts', content },
      ]),
    ]
    expect(new Set(measured).size).to.equal(4)
  })

  it('extends the app into register 3, last', async () => {
    const one = await replayRtmr3(appEvents(`0x${'11'.repeat(32)}`))
    const other = await replayRtmr3(appEvents(`0x${'12'.repeat(32)}`))
    expect(one).to.match(/^0x[0-9a-f]{96}$/)
    expect(one).to.not.equal(other)
  })
})
