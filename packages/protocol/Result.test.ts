import {
  constants,
  createCipheriv,
  createDecipheriv,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import { expect } from 'chai'
import { keccak256 } from 'ethers'
import { Archive, Bytes, type Hex, Result } from './index.ts'

const text = new TextEncoder()
const outputs = { 'model.json': text.encode('{"w":[1]}'), 'deep/metrics.txt': text.encode('0.9') }
const salt: Hex = `0x${'11'.repeat(32)}`
const bits = 2048

describe('Result', () => {
  it('is read by a stranger that knows the format: RSAES-PKCS1-v1_5 and IV ‖ AES-256-CBC', async () => {
    const { publicKey, privateKey } = await Result.generateKeyPair({ bits })
    const archive = await Result.pack(outputs)
    const entries = await Archive.unpack(await Result.encrypt({ archive, publicKey }))
    expect([...entries.keys()]).to.deep.equal(['aes-key.rsa', 'iexec_out.zip.aes'])
    const [wrapped, data] = [...entries.values()]
    const key = privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, wrapped ?? text.encode(''))
    const decipher = createDecipheriv('aes-256-cbc', key, data?.subarray(0, 16) ?? text.encode(''))
    const opened = Buffer.concat([decipher.update(data?.subarray(16) ?? text.encode('')), decipher.final()])
    expect(opened.equals(archive)).to.equal(true)
  })

  for (const type of ['pkcs1', 'pkcs8'] as const) {
    it(`opens what a stranger encrypted, with a ${type} key`, async () => {
      const pair = generateKeyPairSync('rsa', {
        modulusLength: bits,
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type, format: 'pem' },
      })
      const [key, iv] = [randomBytes(32), randomBytes(16)]
      const archive = await Result.pack(outputs)
      const cipher = createCipheriv('aes-256-cbc', key, iv)
      const sealed = await Archive.pack({
        'aes-key.rsa': publicEncrypt({ key: pair.publicKey, padding: constants.RSA_PKCS1_PADDING }, key),
        'iexec_out.zip.aes': Buffer.concat([iv, cipher.update(archive), cipher.final()]),
      })
      const opened = await Result.decrypt({ archive: sealed, privateKey: pair.privateKey })
      expect(Object.fromEntries(await Result.files(opened))).to.deep.equal(outputs)
    })
  }

  it('takes the public key as secret services keep it', async () => {
    const { publicKey, privateKey } = await Result.generateKeyPair({ bits })
    const archive = await Result.pack(outputs)
    const sealed = await Result.encrypt({ archive, publicKey: Result.encodePublicKey(publicKey) })
    expect(await Result.isEncrypted(sealed)).to.equal(true)
    expect(await Result.isEncrypted(archive)).to.equal(false)
    expect(Bytes.equal(await Result.decrypt({ archive: sealed, privateKey }), archive)).to.equal(true)
  })

  it('refuses another private key, damaged keys, and a result in the clear', async () => {
    const [mine, other] = [await Result.generateKeyPair({ bits }), await Result.generateKeyPair({ bits })]
    const archive = await Result.encrypt({ archive: await Result.pack(outputs), publicKey: mine.publicKey })
    const refusal = (input: Parameters<typeof Result.decrypt>[0]) => Result.decrypt(input).catch((error) => error.name)
    expect(await refusal({ archive, privateKey: other.privateKey })).to.equal('ResultKeyError')
    expect(await refusal({ archive, privateKey: 'nonsense' })).to.equal('InvalidValueError')
    expect(await refusal({ archive: await Result.pack(outputs), privateKey: mine.privateKey })).to.equal('ArchiveError')
  })

  describe('digest', () => {
    it('does not depend on the order in which files are listed', () => {
      const reversed = new Map(Object.entries(outputs).reverse())
      expect(Result.digest({ files: reversed, salt })).to.equal(Result.digest({ files: outputs, salt }))
    })

    it('changes with every content, path, file and salt', () => {
      const digests = [
        Result.digest({ files: outputs, salt }),
        Result.digest({ files: { ...outputs, 'model.json': text.encode('{}') }, salt }),
        Result.digest({ files: { ...outputs, 'deep/metrics.txt': text.encode('0.8') }, salt }),
        Result.digest({ files: { 'model.json': outputs['model.json'], 'metrics.txt': text.encode('0.9') }, salt }),
        Result.digest({ files: { ...outputs, empty: text.encode('') }, salt }),
        Result.digest({ files: {}, salt }),
        Result.digest({ files: outputs, salt: `0x${'12'.repeat(32)}` }),
      ]
      expect(new Set(digests)).to.have.length(digests.length)
    })

    it('of a callback is what the Hub computes', () => {
      expect(Result.callbackDigest('0x1234')).to.equal(keccak256('0x1234'))
    })
  })

  it('writes and reads where a result lies', () => {
    const results = Result.encodeLocation({ storage: 'ipfs', location: '/ipfs/QmX' })
    expect(Bytes.toUtf8(Bytes.fromHex(results))).to.equal('{"storage":"ipfs","location":"/ipfs/QmX"}')
    expect(Result.decodeLocation(results)).to.deep.equal({ storage: 'ipfs', location: '/ipfs/QmX' })
    const spaced = Bytes.toHex(text.encode('{ "storage": "ipfs", "location": "/ipfs/QmX" }'))
    expect(Result.decodeLocation(spaced).location).to.equal('/ipfs/QmX')
    expect(Result.decodeLocation('0x').storage).to.equal('none')
    expect(Result.decodeLocation('0xff').storage).to.equal('none')
  })
})
