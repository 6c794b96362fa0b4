import { createServer } from 'node:net'
import { expect } from 'chai'
import { appFolder, bundleApp } from '../bundle.ts'
import { runBundle } from '../task.ts'

describe('hello-world', function () {
  this.timeout(20_000)
  let bundle: Uint8Array
  before(async () => {
    bundle = await bundleApp(appFolder('hello-world'))
  })

  it('greets whom its arguments name, and tells the size of the dataset', async () => {
    const env = { IEXEC_DATASET_FILENAME: '0xda7a' }
    const { code, files } = await runBundle({
      bundle,
      args: ['Ada', 'Lovelace'],
      datasets: { '0xda7a': new Uint8Array(5) },
      env,
    })
    expect(code).to.equal(0)
    expect(files.get('result.txt')).to.equal('Hello, Ada Lovelace!\nThe dataset has 5 bytes.\n')
    expect(JSON.parse(files.get('computed.json') ?? '')['deterministic-output-path']).to.match(/\/result\.txt$/)
  })
  it('breaks the rule that an argument names', async () => {
    expect((await runBundle({ bundle, args: ['--exit', '1'] })).code).to.equal(1)
    expect([...(await runBundle({ bundle, args: ['--no-computed'] })).files.keys()]).to.deep.equal(['result.txt'])
    const long = await runBundle({ bundle, args: ['--long-name'] })
    expect(Math.max(...[...long.files.keys()].map((name) => name.length))).to.be.greaterThan(31)
    const missing = await runBundle({ bundle, args: ['--missing-output'] })
    expect(missing.files.get('computed.json')).to.include('not-there.txt')
    expect(missing.files.has('not-there.txt')).to.equal(false)
    const callback = await runBundle({ bundle, args: ['--callback-data', '0x01'] })
    expect(callback.files.get('computed.json')).to.equal('{"callback-data":"0x01"}')
  })
  it('tries what a sandbox must prevent: to print the dataset and to open a connection', async () => {
    const env = { IEXEC_DATASET_FILENAME: 'data' }
    const leak = await runBundle({ bundle, args: ['--leak'], datasets: { data: Buffer.from('canary') }, env })
    expect(leak.stdout).to.include('canary')
    const server = createServer((socket) => socket.end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const open = await runBundle({ bundle, args: ['--connect', `127.0.0.1:${port}`] })
    await new Promise((resolve) => server.close(resolve))
    expect(open.files.get('result.txt')).to.include('is open')
    const closed = await runBundle({ bundle, args: ['--connect', `127.0.0.1:${port}`] })
    expect(closed.files.get('result.txt')).to.include('is refused')
  })
})
