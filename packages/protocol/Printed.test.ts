import { constants, createDecipheriv, generateKeyPairSync, privateDecrypt, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { Bytes, Printed, Result } from './index.ts'

const pairOf = (type: 'pkcs1' | 'pkcs8' = 'pkcs8', modulusLength = 2048) =>
  generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type, format: 'pem' },
  })

async function reason(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: Error) => error.name,
  )
}

describe('Printed', () => {
  const pair = pairOf()
  const { publicKey, privateKey } = pair

  it('gives back any bytes, of any length up to the cap, by a key in either form and as secret services store it', async () => {
    for (const { publicKey, privateKey } of [pair, pairOf('pkcs1')]) {
      for (const key of [publicKey, Result.encodePublicKey(publicKey)]) {
        const text = randomBytes(3000)
        expect(
          Bytes.equal(await Printed.open(await Printed.seal(text, { publicKey: key }), { privateKey }), text),
        ).to.equal(true)
      }
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40_000, size: 'max' }), async (text) => {
        const opened = await Printed.open(await Printed.seal(text, { publicKey }), { privateKey })
        expect(Bytes.equal(opened, text)).to.equal(true)
      }),
      { numRuns: 30 },
    )
  })

  it('is read by a stranger that knows the format', async () => {
    const sealed = await Printed.seal(Bytes.fromUtf8('hello'), { publicKey })
    const bytes = Buffer.from(sealed.split('\n').slice(1, -2).join(''), 'base64')
    const end = 3 + bytes.readUInt16BE(1)
    const [head, nonce, body, tag] = [
      bytes.subarray(0, end),
      bytes.subarray(end, end + 12),
      bytes.subarray(end + 12, -16),
      bytes.subarray(-16),
    ]
    const key = privateDecrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      head.subarray(3),
    )
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(head).setAuthTag(tag)
    const plain = Buffer.concat([decipher.update(body), decipher.final()])
    expect(plain.subarray(4, 4 + plain.readUInt32BE(0)).toString()).to.equal('hello')
  })

  it('keeps the last bytes of a long stream, and hides how long a short one was', async () => {
    const long = randomBytes(Printed.cap + 1000)
    const sealed = await Printed.seal(long, { publicKey })
    expect(Bytes.equal(await Printed.open(sealed, { privateKey }), long.subarray(1000))).to.equal(true)
    const lengths = await Promise.all(
      [0, 1, 100, 4096, 4097, 32_768, 32_769, Printed.cap].map(
        async (length) => (await Printed.seal(randomBytes(length), { publicKey })).length,
      ),
    )
    expect(new Set(lengths.slice(0, 4)).size).to.equal(1)
    expect(new Set(lengths.slice(4, 6)).size).to.equal(1)
    expect(new Set(lengths).size).to.equal(3)
  })

  it('is never longer than it says, with the longest key', async () => {
    const sealed = await Printed.seal(randomBytes(Printed.cap), { publicKey: pairOf('pkcs8', 4096).publicKey })
    expect(sealed.length).to.be.within(Printed.cap * 1.3, Printed.longest)
    // Two of them fit into one request.
    expect(2 * Printed.longest).to.be.lessThan(1_000_000)
  })

  it('differs each time, looks sealed, and survives other line ends', async () => {
    const [one, two] = [
      await Printed.seal(Bytes.fromUtf8('a'), { publicKey }),
      await Printed.seal(Bytes.fromUtf8('a'), { publicKey }),
    ]
    expect(one).to.not.equal(two)
    expect(one).to.match(Printed.pattern)
    const mailed = `\r\n${one.replaceAll('\n', '\r\n')}  `
    expect(Bytes.toUtf8(await Printed.open(mailed, { privateKey }))).to.equal('a')
  })

  it('is refused with each of its bytes changed, with another key, cut short, or in no frame', async () => {
    const sealed = await Printed.seal(Bytes.fromUtf8('hello'), { publicKey })
    const bytes = Buffer.from(sealed.split('\n').slice(1, -2).join(''), 'base64')
    const frame = (bytes: Buffer) => {
      const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
      return ['-----BEGIN SEALDEAL PRINTED-----', ...lines, '-----END SEALDEAL PRINTED-----', ''].join('\n')
    }
    expect(frame(bytes)).to.equal(sealed)
    // All of the head and the nonce, and each hundredth of what follows.
    const places = [...bytes.keys()].filter((place) => (place < 400 ? place % 7 === 0 || place < 4 : place % 100 === 0))
    for (const place of places) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(place) ^ 1, place)
      const name = await reason(Printed.open(frame(changed), { privateKey }))
      expect(name, `byte ${place}`).to.be.oneOf(['PrintedMalformedError', 'ResultKeyError'])
    }
    expect(await reason(Printed.open(sealed, { privateKey: pairOf().privateKey }))).to.equal('ResultKeyError')
    expect(await reason(Printed.open(sealed, { privateKey: 'no key' }))).to.equal('InvalidValueError')
    for (const length of [0, 1, 3, 200, 280]) {
      expect(await reason(Printed.open(frame(bytes.subarray(0, length)), { privateKey })), `${length} bytes`).to.equal(
        'PrintedMalformedError',
      )
    }
    for (const text of ['', 'hello', sealed.replace('BEGIN', 'BEGINN'), sealed.replace('\n', '\n*')]) {
      expect(await reason(Printed.open(text, { privateKey }))).to.equal('PrintedMalformedError')
    }
  })
})
