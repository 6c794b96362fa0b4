import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { id, keccak256, toUtf8Bytes, Wallet } from 'ethers'
import { type Address, type Hex, Locator, Params, Secret, Session } from './index.ts'

const worker: Address = '0xB2157BF2fAb286b2A4170E3491Ac39770111Da3E'
const hub: Address = '0x098bFCb1E50ebcA0BaA92C12eA0c3F045A1aD9f0'

describe('Session', () => {
  const binding: Session.Binding = {
    chainId: 31337,
    hub,
    taskId: `0x${'aa'.repeat(32)}`,
    attempt: 1n,
    worker,
    enclaveKey: `0x${'bb'.repeat(32)}`,
    enclaveAddress: hub,
    nonce: `0x${'cc'.repeat(32)}`,
  }

  it('binds its members, packed at fixed widths, into 64 bytes', () => {
    const hex = (value: string, bytes: number) => Buffer.from(value.slice(2).padStart(2 * bytes, '0'), 'hex')
    const packed = Buffer.concat([
      Buffer.from('sealdeal-session-v1'),
      hex('0x7a69', 32),
      hex(hub, 20),
      hex(binding.taskId, 32),
      hex('0x1', 32),
      hex(worker, 20),
      hex(binding.enclaveKey, 32),
      hex(hub, 20),
      hex(binding.nonce, 32),
    ])
    expect(Session.reportData(binding)).to.equal(`0x${createHash('sha512').update(packed).digest('hex')}`)
  })

  it('differs when any member does', () => {
    const other: Hex = `0x${'dd'.repeat(32)}`
    const changes = [
      { chainId: 1 },
      { hub: worker },
      { taskId: other },
      { attempt: 2n },
      { worker: hub },
      { enclaveKey: other },
      { enclaveAddress: worker },
      { nonce: other },
    ]
    const all = [binding, ...changes.map((change) => ({ ...binding, ...change }))].map(Session.reportData)
    expect(new Set(all)).to.have.length(9)
  })
})

describe('Secret', () => {
  it('is hashed as the ecosystem does: domain ‖ address ‖ [name] ‖ value', () => {
    const hex = (text: string) => keccak256(toUtf8Bytes(text)).slice(2)
    const [domain, owner] = [id('IEXEC_SMS_DOMAIN'), worker.slice(2).toLowerCase()]
    expect(Secret.hash({ address: worker, value: 'v' })).to.equal(keccak256(`${domain}${owner}${hex('v')}`))
    expect(Secret.hash({ address: worker, name: 'n', value: 'v' })).to.equal(
      keccak256(`${domain}${owner}${hex('n')}${hex('v')}`),
    )
  })

  it('is recovered to who authorized it', async () => {
    const owner = Wallet.createRandom()
    const secret = { address: worker, name: '1', value: 'v' }
    const authorization = await Secret.authorize(secret, owner)
    expect(Secret.recover(secret, authorization)).to.equal(owner.address)
    expect(Secret.recover({ ...secret, value: 'w' }, authorization)).to.not.equal(owner.address)
    expect(Secret.recover({ ...secret, name: '2' }, authorization)).to.not.equal(owner.address)
  })
})

describe('what the secret service says of itself', () => {
  const seed: Hex = `0x${'11'.repeat(32)}`
  const bare = (text: string) => text.slice(2)

  it('is a nonce that no other signer can claim', () => {
    const nonce = keccak256(`${id('sealdeal-nonce-v1')}${bare(hub)}${bare(seed)}`)
    expect(Session.nonceOf({ signer: hub, seed })).to.equal(nonce)
    expect(Session.nonceOf({ signer: worker, seed })).to.not.equal(nonce)
  })

  it('is a signature over the whole sealed answer, of this session only', () => {
    const reportData: Hex = `0x${'22'.repeat(64)}`
    const sealed = { enc: 'AQI=', ciphertext: 'Aw==' }
    const parts = [id('sealdeal-sealed-v1'), reportData, keccak256('0x0102'), keccak256('0x03')]
    const hash = keccak256(`0x${parts.map(bare).join('')}`)
    expect(Session.sealedHash({ reportData, sealed })).to.equal(hash)
    const others = [
      { reportData, sealed: { enc: 'AQ==', ciphertext: 'AgM=' } },
      { reportData: `0x${'33'.repeat(64)}` as const, sealed },
    ]
    for (const other of others) expect(Session.sealedHash(other)).to.not.equal(hash)
  })
})

describe('Locator', () => {
  const cid = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnnuVW'
  // 12 20 and sha2-256; the published multiaddr library gives the same.
  const multihash = '12209d6c2be50f706953479ab9df2ce3edca90b68053c00b3004b7f0accbe22e533d'

  it('writes content as /p2p/<CIDv0> and reads it back', () => {
    const bytes = Locator.toBytes({ cid })
    expect(bytes).to.equal(`0xa50322${multihash}`)
    expect(Locator.fromBytes(bytes)).to.deep.equal({ cid })
    expect(Locator.toUrl(bytes, { gateway: 'http://127.0.0.1:8080/' })).to.equal(`http://127.0.0.1:8080/ipfs/${cid}`)
  })

  it('writes any other place as its URL and reads it back', () => {
    const url = 'https://arweave.net/abc?x=ä'
    expect(Locator.fromBytes(Locator.toBytes({ url }))).to.deep.equal({ url })
    expect(Locator.toUrl(Locator.toBytes({ url }), { gateway: 'http://x' })).to.equal(url)
  })

  it('reads a content path written as text', () => {
    expect(Locator.fromBytes(Buffer.from(`/ipfs/${cid}`))).to.deep.equal({ cid })
  })

  it('refuses what is neither', () => {
    expect(() => Locator.toBytes({ cid: 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi' })).to.throw(
      'version 0',
    )
    expect(() => Locator.fromBytes('0x')).to.throw('multiaddr')
    expect(() => Locator.fromBytes('0xff00')).to.throw('multiaddr')
    expect(() => Locator.fromBytes(Buffer.from('not a place'))).to.throw('multiaddr')
  })
})

describe('Params', () => {
  const params: Params.Params = {
    args: '--seed 7',
    inputFiles: ['https://example.com/a.csv'],
    secrets: { 1: 'token' },
    encryptResult: true,
    storageProvider: 'ipfs',
    bulkCid: 'QmX',
  }

  it('are written with the names of the wire and read back', () => {
    const text = Params.build(params)
    expect(JSON.parse(text)).to.deep.equal({
      iexec_args: '--seed 7',
      iexec_input_files: ['https://example.com/a.csv'],
      iexec_secrets: { 1: 'token' },
      iexec_result_encryption: true,
      iexec_result_storage_provider: 'ipfs',
      bulk_cid: 'QmX',
    })
    expect(Params.parse(text)).to.deep.equal(params)
    expect(Params.build({})).to.equal('{}')
  })

  it('read what published clients write', () => {
    expect(Params.parse('')).to.deep.equal({})
    expect(Params.parse('just words')).to.deep.equal({ args: 'just words' })
    expect(Params.parse('[1]')).to.deep.equal({ args: '[1]' })
    expect(Params.parse('{"iexec_input_files":"http://a/1,http://b/2","else":1}')).to.deep.equal({
      inputFiles: ['http://a/1', 'http://b/2'],
    })
  })

  it('refuse values of another form, naming them', () => {
    for (const [json, path] of [
      ['{"iexec_args":1}', 'params.iexec_args'],
      ['{"iexec_input_files":["ftp://x"]}', 'params.iexec_input_files[0]'],
      ['{"iexec_secrets":["a"]}', 'params.iexec_secrets'],
      ['{"iexec_secrets":{"0":"a"}}', 'params.iexec_secrets'],
      ['{"iexec_secrets":{"1":2}}', 'params.iexec_secrets.1'],
      ['{"iexec_result_encryption":"yes"}', 'params.iexec_result_encryption'],
      ['{"iexec_result_storage_provider":"s3"}', 'params.iexec_result_storage_provider'],
    ] as const) {
      expect(() => Params.parse(json)).to.throw(path)
    }
    expect(() => Params.build({ inputFiles: ['nowhere'] })).to.throw('params.iexec_input_files[0]')
  })

  it('split a command line into words and nothing else', () => {
    expect(Params.argv('')).to.deep.equal([])
    expect(Params.argv('  a  --b=c d ')).to.deep.equal(['a', '--b=c', 'd'])
    expect(Params.argv(`"a b" 'c "d"' e\\ f "" g'h'i`)).to.deep.equal(['a b', 'c "d"', 'e f', '', 'ghi'])
    expect(Params.argv('$HOME `id` $(id) ; | > x')).to.deep.equal(['$HOME', '`id`', '$(id)', ';', '|', '>', 'x'])
    expect(() => Params.argv('"open')).to.throw('closed')
  })
})
