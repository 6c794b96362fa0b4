import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Address, Bytes, type Hex, Locator, ProtectedData, type Session } from '@sealdeal/protocol'
import { expect } from 'chai'
import { DownloadError, download, isPrivate, type Reach } from './download.ts'
import { EnclaveFailureError } from './failures.ts'
import { fetchDataset, fetchInputs, inputFileName } from './inputs.ts'

const address = `0x${'aa'.repeat(20)}` as const

/** A web server of files in memory; `/slow` sends one byte and then nothing. */
async function serveFiles(files: Map<string, Uint8Array>): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    const bytes = files.get(request.url ?? '')
    if (request.url === '/slow') return response.write('x')
    if (request.url === '/circle') return response.writeHead(302, { location: '/circle' }).end()
    const target = /^\/to\/(.*)/.exec(request.url ?? '')?.[1]
    if (target !== undefined) return response.writeHead(302, { location: decodeURIComponent(target) }).end()
    if (bytes === undefined) return response.writeHead(404).end('canary-in-an-error-page')
    // Without a length: the limit must hold for what arrives, not for what is announced.
    if (request.url?.startsWith('/unannounced')) response.flushHeaders()
    return response.end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe('inputs', () => {
  const files = new Map<string, Uint8Array>()
  let server: Server
  let origin: string
  let directory: string
  const near = () => ({ gateway: origin, isLocal: true })

  before(async () => {
    const served = await serveFiles(files)
    server = served.server
    origin = served.origin
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'inputs-'))
    files.clear()
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  async function causeOf(action: Promise<unknown>): Promise<string> {
    const error = await action.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error === undefined) return 'none'
    expect(error).to.be.instanceOf(EnclaveFailureError)
    expect(String(error)).to.not.include('canary')
    return error instanceof EnclaveFailureError ? error.failure : 'other'
  }

  describe('data set', () => {
    const plain = Bytes.fromUtf8(`canary-${'x'.repeat(3_000_000)}`)
    const key = ProtectedData.generateKey()
    let encrypted: Uint8Array

    before(async () => {
      encrypted = await ProtectedData.encrypt(plain, key)
    })

    function dataset(overrides: { checksum?: Hex; key?: string; multiaddr?: Hex } = {}) {
      const multiaddr = Locator.toBytes({ url: `${origin}/data` })
      return { address, multiaddr, checksum: ProtectedData.checksum(encrypted), key, ...overrides }
    }
    const fetched = (overrides: Parameters<typeof dataset>[0] = {}) =>
      fetchInputs({ content: { dataset: dataset(overrides) }, inputFiles: [], directory, reach: near() })

    it('lies decrypted under its address, and the ciphertext is gone', async () => {
      files.set('/data', encrypted)
      const inputs = await fetched()
      expect(inputs).to.deep.equal({ dataset: address, leftOut: [], files: [], bytes: encrypted.length })
      expect(Buffer.compare(readFileSync(join(directory, 'in', address)), plain)).to.equal(0)
      expect(readdirSync(directory)).to.deep.equal(['in'])
    })

    it('is found by its content address through the gateway', async () => {
      const cid = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'
      files.set(`/ipfs/${cid}`, encrypted)
      expect((await fetched({ multiaddr: Locator.toBytes({ cid }) })).bytes).to.equal(encrypted.length)
    })

    it('is left out of many when it cannot be had, with the reason; the others are there', async () => {
      const addresses = ['a1', 'b2', 'c3', 'd4'].map((byte): Address => `0x${byte.repeat(20)}`)
      const flipped = Uint8Array.from(encrypted, (byte, position) => (position === 20 ? byte ^ 1 : byte))
      const at = (path: string) => Locator.toBytes({ url: `${origin}${path}` })
      files.set('/data', encrypted)
      files.set('/flipped', flipped)
      const facts = [
        {},
        { multiaddr: at('/nowhere') },
        { multiaddr: at('/flipped') },
        { key: ProtectedData.generateKey() },
      ]
      const datasets = addresses.map((address, index) => ({ ...dataset(facts[index]), address }))
      const refused = { address, reason: 'Its grant does not hold.' }
      const fetchMany = (datasets: Session.Dataset[]) =>
        fetchInputs({ content: { datasets, leftOut: [refused] }, inputFiles: [], directory, reach: near() })
      const inputs = await fetchMany(datasets)
      expect(inputs.datasets).to.deep.equal([addresses[0]])
      expect(readdirSync(join(directory, 'in'))).to.deep.equal([addresses[0]])
      expect(readdirSync(directory)).to.deep.equal(['in'])
      const [first, ...others] = inputs.leftOut
      expect(first).to.deep.equal(refused)
      expect(others.map(({ address, reason }) => [address, reason.split(':')[0]])).to.deep.equal([
        [addresses[1], 'PRE_COMPUTE_DATASET_DOWNLOAD_FAILED'],
        [addresses[2], 'PRE_COMPUTE_INVALID_DATASET_CHECKSUM'],
        [addresses[3], 'PRE_COMPUTE_DATASET_DECRYPTION_FAILED'],
      ])
      rmSync(join(directory, 'in'), { recursive: true })
      expect(await causeOf(fetchMany(datasets.slice(1)))).to.equal('PRE_COMPUTE_DATASET_DOWNLOAD_FAILED')
    })

    it('is refused when one byte is flipped, anywhere, and nothing is decrypted', async () => {
      for (const position of [0, 16, 1_500_000, encrypted.length - 1]) {
        const flipped = Uint8Array.from(encrypted)
        flipped[position] = (flipped[position] ?? 0) ^ 1
        files.set('/data', flipped)
        expect(await causeOf(fetched()), `byte ${position}`).to.equal('PRE_COMPUTE_INVALID_DATASET_CHECKSUM')
        expect(readdirSync(join(directory, 'in'))).to.deep.equal([])
        expect(existsSync(join(directory, 'dataset.encrypted'))).to.equal(false)
        rmSync(join(directory, 'in'), { recursive: true })
      }
    })

    it('is refused when its length is changed', async () => {
      for (const bytes of [encrypted.subarray(0, -16), Buffer.concat([encrypted, Buffer.alloc(16)]), Buffer.alloc(0)]) {
        files.set('/data', bytes)
        expect(await causeOf(fetched())).to.equal('PRE_COMPUTE_INVALID_DATASET_CHECKSUM')
        rmSync(join(directory, 'in'), { recursive: true })
      }
    })

    it('never leaves plaintext behind a wrong key', async () => {
      files.set('/data', encrypted)
      let refused = 0
      for (let count = 0; count < 8; count++) {
        const cause = await causeOf(fetched({ key: ProtectedData.generateKey() }))
        // One wrong key in 256 ends in something that looks like padding; what comes out is noise all the same.
        if (cause === 'none') expect(readFileSync(join(directory, 'in', address)).includes('canary')).to.equal(false)
        else {
          expect(cause).to.equal('PRE_COMPUTE_DATASET_DECRYPTION_FAILED')
          expect(readdirSync(join(directory, 'in'))).to.deep.equal([])
          refused += 1
        }
        rmSync(directory, { recursive: true })
        directory = mkdtempSync(join(tmpdir(), 'inputs-'))
      }
      expect(refused).to.be.greaterThan(5)
    })

    it('is refused when what the secret service holds is no key', async () => {
      files.set('/data', encrypted)
      for (const wrong of ['', 'AAAA', 'canary'.repeat(10)]) {
        expect(await causeOf(fetched({ key: wrong }))).to.equal('PRE_COMPUTE_DATASET_KEY_MISSING')
        rmSync(join(directory, 'in'), { recursive: true })
      }
    })

    it('names a place that does not answer, has nothing, or is no place', async () => {
      const gone = Locator.toBytes({ url: 'http://127.0.0.1:1/data' })
      expect(await causeOf(fetched({ multiaddr: gone }))).to.equal('PRE_COMPUTE_DATASET_DOWNLOAD_FAILED')
      rmSync(join(directory, 'in'), { recursive: true })
      expect(await causeOf(fetched())).to.equal('PRE_COMPUTE_DATASET_DOWNLOAD_FAILED')
      rmSync(join(directory, 'in'), { recursive: true })
      expect(await causeOf(fetched({ multiaddr: '0x' }))).to.equal('PRE_COMPUTE_DATASET_URL_MISSING')
    })

    it('stops at its limit', async () => {
      files.set('/data', encrypted)
      const limits = { maxBytes: encrypted.length - 1, maxSeconds: 10 }
      const action = fetchDataset({ dataset: dataset(), directory, reach: near(), limits })
      expect(await causeOf(action)).to.equal('PRE_COMPUTE_DATASET_DOWNLOAD_FAILED')
    })
  })

  describe('input files', () => {
    const fetched = (inputFiles: string[]) => fetchInputs({ content: {}, inputFiles, directory, reach: near() })

    it('lie under the sha256 of their URL, in the order of the request', async () => {
      files.set('/a', Bytes.fromUtf8('first'))
      files.set('/b', Bytes.fromUtf8('second'))
      const urls = [`${origin}/b`, `${origin}/a`, `${origin}/b`]
      const inputs = await fetched(urls)
      const names = urls.map((url) => `0x${createHash('sha256').update(url).digest('hex')}`)
      expect(inputs).to.deep.equal({ leftOut: [], files: names, bytes: 11 })
      expect(readFileSync(join(directory, 'in', names[1] ?? ''), 'utf8')).to.equal('first')
      expect(inputFileName('')).to.equal('0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    })

    it('names one that cannot be fetched, without what the server said', async () => {
      expect(await causeOf(fetched([`${origin}/missing`]))).to.equal('PRE_COMPUTE_INPUT_FILE_DOWNLOAD_FAILED')
    })

    it('refuses too many', async () => {
      const urls = Array.from({ length: 101 }, (_, index) => `${origin}/${index}`)
      expect(await causeOf(fetched(urls))).to.equal('PRE_COMPUTE_TASK_DESCRIPTION_INVALID')
    })
  })

  describe('download', () => {
    const fetched = (path: string, limits: { maxBytes: number; maxSeconds: number }) =>
      download({ url: `${origin}${path}`, file: join(directory, 'file'), reach: near(), ...limits }).then(
        () => 'none',
        (error: unknown) => (error instanceof DownloadError ? error.trouble : String(error)),
      )

    it('refuses what is larger than allowed, announced or not', async () => {
      files.set('/announced', randomBytes(2000))
      files.set('/unannounced', randomBytes(2000))
      expect(await fetched('/announced', { maxBytes: 1999, maxSeconds: 5 })).to.equal('too large')
      expect(await fetched('/unannounced', { maxBytes: 1999, maxSeconds: 5 })).to.equal('too large')
    })

    describe('for a stranger, on a chain that is not local', () => {
      /** The gateway is on this machine, as many are; a stranger's URL must not profit from that. */
      const asked = (url: string, reach: Reach) =>
        download({ url, file: join(directory, 'file'), reach, maxBytes: 100, maxSeconds: 5 }).then(
          () => 'none',
          (error: unknown) => (error instanceof DownloadError ? error.trouble : String(error)),
        )
      const elsewhere = { gateway: 'https://gateway.example', isLocal: false }

      it('reaches nothing on this machine, by number, by name or by redirect', async () => {
        files.set('/inside', Bytes.fromUtf8('credentials of the operator'))
        const { port } = new URL(origin)
        for (const host of [
          '127.0.0.1',
          'localhost',
          '2130706433',
          '0x7f.1',
          '[::1]',
          '[::ffff:127.0.0.1]',
          '0.0.0.0',
        ]) {
          expect(await asked(`http://${host}:${port}/inside`, elsewhere), host).to.equal('forbidden')
        }
        const back = `${origin}/to/${encodeURIComponent(`http://localhost:${port}/inside`)}`
        expect(await asked(back, { gateway: origin, isLocal: false })).to.equal('forbidden')
        expect(existsSync(join(directory, 'file'))).to.equal(false)
        expect(await asked(back, near())).to.equal('none')
      })

      it('still reaches the gateway that the operator chose', async () => {
        files.set('/inside', Bytes.fromUtf8('a block'))
        expect(await asked(`${origin}/inside`, { gateway: origin, isLocal: false })).to.equal('none')
      })

      it('takes http and https only, also where a redirect leads', async () => {
        expect(await asked('file:///etc/passwd', near())).to.equal('forbidden')
        expect(await asked('data:,x', near())).to.equal('forbidden')
        expect(await asked(`${origin}/to/${encodeURIComponent('file:///etc/passwd')}`, near())).to.equal('forbidden')
      })

      it('gives up on a circle', async () => {
        expect(await asked(`${origin}/circle`, near())).to.equal('status')
      })

      it('knows which addresses are private', () => {
        const inside = ['10.1.2.3', '100.64.0.1', '172.31.255.255', '192.168.0.1', '169.254.169.254', '255.255.255.255']
        const hidden = ['fd00::1', 'fe80::1', '::ffff:10.0.0.1', '64:ff9b::a9fe:a9fe', '2002:7f00:1::', '::7f00:1']
        for (const address of [...inside, ...hidden]) expect(isPrivate(address), address).to.equal(true)
        for (const address of ['1.1.1.1', '172.32.0.1', '2606:4700::1111']) expect(isPrivate(address)).to.equal(false)
      })
    })

    it('gives up when the time is over', async () => {
      expect(await fetched('/slow', { maxBytes: 10, maxSeconds: 0.3 })).to.equal('too late')
    })
  })
})
