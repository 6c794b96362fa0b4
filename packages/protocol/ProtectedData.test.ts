import { execFileSync } from 'node:child_process'
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { Bytes, Checksum, Cipher, ProtectedData } from './index.ts'

const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52)
const pdf = new TextEncoder().encode('%PDF-1.7\n%rest')

describe('ProtectedData', () => {
  describe('serialize', () => {
    it('writes the published widths', () => {
      expect(Bytes.toHex(ProtectedData.serialize('a@b.c'))).to.equal('0x050000006140622e63')
      expect(Bytes.toHex(ProtectedData.serialize(42))).to.equal('0x0000000000004540')
      expect(Bytes.toHex(ProtectedData.serialize(true))).to.equal('0x01')
      expect(Bytes.toHex(ProtectedData.serialize(false))).to.equal('0x00')
      expect(Bytes.toHex(ProtectedData.serialize(-1n))).to.equal(`0x${'ff'.repeat(16)}`)
      expect(Bytes.toHex(ProtectedData.serialize(258n))).to.equal(`0x0201${'00'.repeat(14)}`)
    })

    it('is undone by deserialize, whatever the value', () => {
      const text = fc.string({ unit: 'grapheme' })
      const i128 = fc.bigInt({ min: -(1n << 127n), max: (1n << 127n) - 1n })
      const f64 = fc.double({ noNaN: true, noDefaultInfinity: true })
      fc.assert(fc.property(text, (v) => ProtectedData.deserialize('string', ProtectedData.serialize(v)) === v))
      fc.assert(fc.property(i128, (v) => ProtectedData.deserialize('i128', ProtectedData.serialize(v)) === v))
      fc.assert(fc.property(f64, (v) => Object.is(ProtectedData.deserialize('f64', ProtectedData.serialize(v)), v)))
    })

    it('refuses bytes of another form', () => {
      expect(() => ProtectedData.deserialize('string', Uint8Array.of(5, 0, 0, 0, 1))).to.throw('a serialized string')
      expect(() => ProtectedData.deserialize('bool', Uint8Array.of(2))).to.throw('a serialized bool')
      expect(() => ProtectedData.deserialize('f64', new Uint8Array(7))).to.throw('a serialized f64')
    })
  })

  describe('check (C03)', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const refusals: [string, unknown, string][] = [
      ['an array', [], '"data"'],
      ['null', null, '"data"'],
      ['a text', 'secret', '"data"'],
      ['an empty object', {}, '"data"'],
      ['an empty nested object', { a: {} }, '"data.a"'],
      ['a nested array', { a: { b: [1] } }, '"data.a.b"'],
      ['a nested null', { a: null }, '"data.a"'],
      ['undefined', { a: undefined }, '"data.a"'],
      ['a function', { a: () => 1 }, '"data.a"'],
      ['a Date', { a: new Date() }, '"data.a"'],
      ['a Map', { a: new Map() }, '"data.a"'],
      ['an empty key', { '': 1 }, '"data"'],
      ['a key with a dot', { 'a.b': 1 }, '"data"'],
      ['a key with a slash', { a: { '../b': 1 } }, '"data.a"'],
      ['NaN', { a: Number.NaN }, '"data.a"'],
      ['Infinity', { a: { b: Number.POSITIVE_INFINITY } }, '"data.a.b"'],
      ['2^127', { a: 1n << 127n }, '"data.a"'],
      ['-2^127-1', { a: -(1n << 127n) - 1n }, '"data.a"'],
      ['half a character', { a: '\ud800' }, '"data.a"'],
      ['an object in itself', circle, '"data.self"'],
    ]
    for (const [what, data, path] of refusals) {
      it(`refuses ${what}, naming the path`, () => expect(() => ProtectedData.check(data)).to.throw(path))
    }

    it('does not repeat a text value in full', () => {
      expect(() => ProtectedData.check('x'.repeat(1000)))
        .to.throw()
        .with.property('message')
        .with.length.below(300)
    })
  })

  it('infers the types of leaves, files by their first bytes', async () => {
    const data = {
      age: 42,
      id: 1n << 100n,
      alive: true,
      email: 'a@b.c',
      scans: { chest: png, report: new Blob([pdf]), raw: randomBytes(64).fill(1), buffer: pdf.buffer },
    }
    expect(await ProtectedData.inferSchema(data)).to.deep.equal({
      age: 'f64',
      id: 'i128',
      alive: 'bool',
      email: 'string',
      scans: {
        chest: 'image/png',
        report: 'application/pdf',
        raw: 'application/octet-stream',
        buffer: 'application/pdf',
      },
    })
  })

  it('packs, encrypts, decrypts and reads back to the same object', async () => {
    const data = { email: 'ä@b.c', n: 42, big: -5n, yes: false, deep: { file: png, more: { text: '' } } }
    const key = ProtectedData.generateKey()
    const meter = Checksum.meter()
    const sealed = await Cipher.collect(
      ProtectedData.pack(data).pipeThrough(ProtectedData.encryption({ key })).pipeThrough(meter.stream),
    )
    expect(meter.digest()).to.equal(`0x${createHash('sha256').update(sealed).digest('hex')}`)
    expect(meter.length()).to.equal(sealed.length)
    const zip = await ProtectedData.decrypt(sealed, key)
    expect([...(await ProtectedData.unpack(zip)).keys()]).to.deep.equal([
      'email',
      'n',
      'big',
      'yes',
      'deep/file',
      'deep/more/text',
    ])
    expect(await ProtectedData.read(zip, await ProtectedData.inferSchema(data))).to.deep.equal(data)
  })

  it('makes an archive that a stranger reads: stored, with folders', async () => {
    const zip = await Cipher.collect(ProtectedData.pack({ n: { png }, email: 'a@b.c' }))
    const script =
      'import sys,io,zipfile,json;z=zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()));print(json.dumps([[i.filename,i.compress_type,z.read(i).hex()] for i in z.infolist()]))'
    const listing: unknown = JSON.parse(execFileSync('python3', ['-c', script], { input: zip, encoding: 'utf8' }))
    expect(listing).to.deep.equal([
      ['n/', 0, ''],
      ['n/png', 0, Buffer.from(png).toString('hex')],
      ['email', 0, '050000006140622e63'],
    ])
  })

  describe('encryption', () => {
    const chunk = 1 << 20
    const lengths = [0, 1, 15, 16, 17, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 5]

    for (const length of lengths) {
      it(`is AES-256-CBC of the whole, both ways, for ${length} bytes`, async () => {
        const plain = randomBytes(length)
        const [key, iv] = [randomBytes(32), randomBytes(16)]
        const cipher = createCipheriv('aes-256-cbc', key, iv)
        const expected = Buffer.concat([iv, cipher.update(plain), cipher.final()])
        const sealed = await Cipher.collect(
          Cipher.stream(plain).pipeThrough(Cipher.encryption({ key: key.toString('base64'), iv })),
        )
        expect(Buffer.from(sealed).equals(expected)).to.equal(true)
        expect(sealed.length).to.equal(ProtectedData.encryptedLength(length))
        const opened = await ProtectedData.decrypt(expected, key.toString('base64'))
        expect(Buffer.from(opened).equals(plain)).to.equal(true)
      })
    }

    it('does not depend on how the stream was cut', async () => {
      const plain = randomBytes(chunk + 77)
      const key = ProtectedData.generateKey()
      const pieces = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < plain.length; at += 9973) controller.enqueue(plain.subarray(at, at + 9973))
          controller.close()
        },
      })
      const sealed = await Cipher.collect(pieces.pipeThrough(ProtectedData.encryption({ key })))
      const decipher = createDecipheriv('aes-256-cbc', Buffer.from(key, 'base64'), sealed.subarray(0, 16))
      expect(Buffer.concat([decipher.update(sealed.subarray(16)), decipher.final()]).equals(plain)).to.equal(true)
    })

    it('never encrypts twice alike', async () => {
      const key = ProtectedData.generateKey()
      const [a, b] = [await ProtectedData.encrypt(png, key), await ProtectedData.encrypt(png, key)]
      expect(Bytes.equal(a, b)).to.equal(false)
    })

    it('never yields the plaintext to another key', async () => {
      const plain = new TextEncoder().encode('the canary sings at dawn')
      const sealed = await ProtectedData.encrypt(plain, ProtectedData.generateKey())
      let refused = 0
      for (let attempt = 0; attempt < 200; attempt++) {
        const opened = await ProtectedData.decrypt(sealed, ProtectedData.generateKey()).catch((error) => {
          expect(error.name).to.equal('DecryptionError')
          refused++
        })
        if (opened) expect(Buffer.from(opened).includes('canary')).to.equal(false)
      }
      expect(refused).to.be.above(180)
    })

    for (const length of [0, 15, 16, 31, 33]) {
      it(`refuses ${length} bytes of ciphertext`, async () => {
        const error = await ProtectedData.decrypt(new Uint8Array(length), ProtectedData.generateKey()).catch((e) => e)
        expect(error.name).to.equal('DecryptionError')
      })
    }

    it('refuses a key of another form without repeating it', () => {
      const key = randomBytes(16).toString('base64')
      expect(() => ProtectedData.encryption({ key }))
        .to.throw('32 bytes in base64')
        .with.property('message')
        .not.include(key)
    })
  })
})
