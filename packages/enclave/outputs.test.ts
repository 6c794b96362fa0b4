import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bytes, type Hex, Result, zeroAddress } from '@sealdeal/protocol'
import { expect } from 'chai'
import { keccak256 } from 'ethers'
import { EnclaveFailureError } from './failures.ts'
import { callbackMaxBytes, packOutputs } from './outputs.ts'

const taskId: Hex = `0x${'ab'.repeat(32)}`
const callback = `0x${'11'.repeat(20)}` as const
const declaration = JSON.stringify({ 'deterministic-output-path': '/iexec_out/result.txt' })
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? '' : new TextDecoder().decode(bytes))

describe('outputs', () => {
  let out: string
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'outputs-'))
  })
  afterEach(() => rmSync(out, { recursive: true, force: true }))

  const write = (path: string, content: string) => writeFileSync(join(out, path), content)
  const pack = (options: Partial<Parameters<typeof packOutputs>[0]> = {}) =>
    packOutputs({
      ...{ out, outName: '/iexec_out', taskId, callback: zeroAddress, encrypt: false, resultKey: undefined },
      ...options,
    })

  async function causeOf(options: Parameters<typeof pack>[0] = {}): Promise<string> {
    try {
      await pack(options)
    } catch (error) {
      if (error instanceof EnclaveFailureError) return error.failure
      throw error
    }
    return 'none'
  }

  describe('given a declared result', () => {
    beforeEach(() => {
      write('computed.json', declaration)
      write('result.txt', 'forty-two')
      mkdirSync(join(out, 'deep/er'), { recursive: true })
      write('deep/er/nested.txt', 'nested')
    })

    it('packs every file, and whoever reads the archive can compute the digest again', async () => {
      const { archive, resultDigest, callbackData } = await pack()
      expect(callbackData).to.equal('0x')
      const files = new Map<string, Uint8Array>(await Result.files(archive ?? new Uint8Array()))
      expect([...files.keys()].sort()).to.deep.equal(['computed.json', 'deep/er/nested.txt', 'result.txt'])
      expect(text(files.get('result.txt'))).to.equal('forty-two')

      const computed = JSON.parse(text(files.get('computed.json')))
      const { 'result-digest': digest, 'result-salt': salt, ...declared } = computed
      expect(declared).to.deep.equal({ 'deterministic-output-path': '/iexec_out/result.txt', 'task-id': taskId })
      expect(digest).to.equal(resultDigest)
      const bound = new Map(files).set('computed.json', Bytes.fromUtf8(JSON.stringify(declared)))
      expect(Result.digest({ files: bound, salt })).to.equal(resultDigest)
      bound.set('deep/er/nested.txt', Bytes.fromUtf8('nestet'))
      expect(Result.digest({ files: bound, salt })).to.not.equal(resultDigest)
    })

    it('reads no declaration that is longer than any callback', async () => {
      write('computed.json', `${declaration}${' '.repeat(2 ** 20)}`)
      expect(await causeOf()).to.equal('POST_COMPUTE_COMPUTED_FILE_MALFORMED')
    })

    it('salts the digest: the same result twice has two', async () => {
      expect((await pack()).resultDigest).to.not.equal((await pack()).resultDigest)
    })

    it('encrypts to the beneficiary, and no other key opens it', async () => {
      const [keys, others] = await Promise.all([
        Result.generateKeyPair({ bits: 2048 }),
        Result.generateKeyPair({ bits: 2048 }),
      ])
      const packed = await pack({ encrypt: true, resultKey: Result.encodePublicKey(keys.publicKey) })
      const archive = packed.archive ?? new Uint8Array()
      expect(packed.encrypted).to.equal(true)
      expect(Buffer.from(archive).includes('forty-two')).to.equal(false)
      const files = await Result.files(await Result.decrypt({ archive, privateKey: keys.privateKey }))
      expect(text(files.get('result.txt'))).to.equal('forty-two')
      const refusal = await Result.decrypt({ archive, privateKey: others.privateKey }).catch(
        (error: Error) => error.name,
      )
      expect(refusal).to.equal('ResultKeyError')
    })

    it('names a missing or unreadable key for results', async () => {
      expect(await causeOf({ encrypt: true })).to.equal('POST_COMPUTE_ENCRYPTION_PUBLIC_KEY_MISSING')
      const resultKey = Bytes.toBase64(Bytes.fromUtf8('no key'))
      expect(await causeOf({ encrypt: true, resultKey })).to.equal('POST_COMPUTE_MALFORMED_ENCRYPTION_PUBLIC_KEY')
    })

    it('takes a name of 31 characters and refuses one of 32', async () => {
      write('x'.repeat(31), '')
      expect(await causeOf()).to.equal('none')
      write('x'.repeat(32), '')
      expect(await causeOf()).to.equal('POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME')
    })

    it('refuses a symbolic link, wherever it points', async () => {
      symlinkSync('/etc/passwd', join(out, 'deep/passwd'))
      expect(await causeOf()).to.equal('POST_COMPUTE_RESULT_FILE_NOT_REGULAR')
    })

    it('refuses a folder behind a symbolic link', async () => {
      symlinkSync('/etc', join(out, 'etc'))
      expect(await causeOf()).to.equal('POST_COMPUTE_RESULT_FILE_NOT_REGULAR')
    })

    it('refuses a pipe without waiting for it', async () => {
      execFileSync('mkfifo', [join(out, 'pipe')])
      expect(await causeOf()).to.equal('POST_COMPUTE_RESULT_FILE_NOT_REGULAR')
    })

    it('refuses names that are no text or hold control characters', async () => {
      writeFileSync(Buffer.concat([Buffer.from(`${out}/`), Buffer.from([0xff, 0xfe])]), '')
      expect(await causeOf()).to.equal('POST_COMPUTE_RESULT_FILE_NAME_INVALID')
      rmSync(Buffer.concat([Buffer.from(`${out}/`), Buffer.from([0xff, 0xfe])]))
      write('a\nb', '')
      expect(await causeOf()).to.equal('POST_COMPUTE_RESULT_FILE_NAME_INVALID')
    })

    it('refuses more bytes, and more files, than the limits', async () => {
      expect(await causeOf({ limits: { maxBytes: 20, maxEntries: 100 } })).to.equal('POST_COMPUTE_RESULT_TOO_LARGE')
      expect(await causeOf({ limits: { maxBytes: 10_000, maxEntries: 4 } })).to.equal('POST_COMPUTE_RESULT_TOO_LARGE')
      expect(await causeOf({ limits: { maxBytes: 10_000, maxEntries: 5 } })).to.equal('none')
    })

    it('refuses a file that claims to be larger than every disk, without reading it', async () => {
      write('sparse', '')
      truncateSync(join(out, 'sparse'), 2 ** 42)
      expect(await causeOf()).to.equal('POST_COMPUTE_RESULT_TOO_LARGE')
    })

    it('refuses a folder that links to itself, and a link to a device', async () => {
      symlinkSync('.', join(out, 'deep/loop'))
      expect(await causeOf()).to.equal('POST_COMPUTE_RESULT_FILE_NOT_REGULAR')
      rmSync(join(out, 'deep/loop'))
      symlinkSync('/dev/zero', join(out, 'deep/device'))
      expect(await causeOf()).to.equal('POST_COMPUTE_RESULT_FILE_NOT_REGULAR')
    })

    it('counts a hard link as a file like any other', async () => {
      linkSync(join(out, 'result.txt'), join(out, 'twin.txt'))
      expect(await causeOf()).to.equal('none')
    })
  })

  describe('given a broken declaration', () => {
    it('misses computed.json', async () => {
      write('result.txt', '')
      expect(await causeOf()).to.equal('POST_COMPUTE_COMPUTED_FILE_NOT_FOUND')
    })

    it('refuses what is not the JSON it must be, and does not quote it', async () => {
      for (const wrong of [
        'canary-7',
        '[]',
        '"x"',
        '{"deterministic-output-path": 1}',
        '{"callback-data": "0x1"}',
        '{}',
      ]) {
        write('computed.json', wrong)
        const error = await pack().catch((reason: EnclaveFailureError) => reason)
        expect(error).to.have.property('failure', 'POST_COMPUTE_COMPUTED_FILE_MALFORMED')
        expect(String(error)).to.not.include('canary')
      }
    })

    it('misses the file that it names', async () => {
      write('computed.json', declaration)
      expect(await causeOf()).to.equal('POST_COMPUTE_RESULT_FILE_NOT_FOUND')
    })

    it('refuses a path outside of the output folder', async () => {
      for (const path of ['/etc/passwd', '/iexec_out/../etc/passwd', '../x', '/iexec_outer/x']) {
        write('computed.json', JSON.stringify({ 'deterministic-output-path': path }))
        expect(await causeOf(), path).to.equal('POST_COMPUTE_RESULT_PATH_OUTSIDE_OUTPUT')
      }
    })
  })

  describe('given a deal with a callback', () => {
    it('digests the bytes of the callback and stores nothing', async () => {
      write('computed.json', JSON.stringify({ 'callback-data': '0xc0ffee' }))
      const packed = await pack({ callback })
      expect(packed).to.deep.equal({
        resultDigest: keccak256('0xc0ffee'),
        callbackData: '0xc0ffee',
        encrypted: false,
      })
    })

    it('refuses more bytes than the Hub can keep', async () => {
      const data = (bytes: number) => JSON.stringify({ 'callback-data': `0x${'00'.repeat(bytes)}` })
      write('computed.json', data(callbackMaxBytes))
      expect(await causeOf({ callback })).to.equal('none')
      write('computed.json', data(callbackMaxBytes + 1))
      expect(await causeOf({ callback })).to.equal('POST_COMPUTE_RESULT_TOO_LARGE')
    })

    it('misses the bytes of the callback', async () => {
      write('computed.json', declaration)
      write('result.txt', '')
      expect(await causeOf({ callback })).to.equal('POST_COMPUTE_CALLBACK_DATA_MISSING')
    })
  })
})
