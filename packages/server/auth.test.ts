import { expect } from 'chai'
import { type HDNodeWallet, TypedDataEncoder, Wallet } from 'ethers'
import { type AuthDomain, isSignedBy, issueChallenge, signRequest, verifyChallenge, verifyRequest } from './auth.ts'
import type { ChainAccess } from './chain.ts'
import type { Database } from './database.ts'
import { openTestDatabase } from './testing.ts'

const hub = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const domain: AuthDomain = { chainId: 31337n, hub, service: 'scheduler' }
/** No account is a contract here. Contract accounts are tested with real ones, beside the market. */
const chain: ChainAccess = { send: async () => '0x' }

describe('signed requests', function () {
  this.timeout(30_000)
  let database: Database
  let close: () => Promise<void>
  const signer = Wallet.createRandom()
  const request = { method: 'POST', path: '/leases?x=1', body: '{"a":1}' }
  before(async () => {
    ;({ database, close } = await openTestDatabase({ migrations: [] }))
  })
  after(() => close())

  const sign = (options: object = {}) => signRequest({ signer, domain, ...request, ...options })
  const verify = (header: string | undefined, options: object = {}) =>
    verifyRequest({ header, domain, ...request, body: Buffer.from(request.body), chain, database, ...options })
  const reason = (header: string | undefined, options: object = {}) =>
    verify(header, options).then(
      () => 'accepted',
      (error: Error & { reason?: string }) => error.reason,
    )

  it('tells who signed', async () => {
    expect(await verify(await sign())).to.deep.equal({ account: signer.address })
  })
  it('counts once', async () => {
    const header = await sign()
    expect(await reason(header)).to.equal('accepted')
    expect(await reason(header)).to.contain('used before')
  })
  it('counts once also when it comes twice at the same moment', async () => {
    const header = await sign()
    const answers = await Promise.all([reason(header), reason(header), reason(header)])
    expect(answers.filter((answer) => answer === 'accepted')).to.have.length(1)
  })
  it('expires, and may not live long', async () => {
    expect(await reason(await sign({ lifetime: -1 }))).to.contain('expired')
    expect(await reason(await sign({ lifetime: 1_000 }))).to.contain('too long')
  })
  for (const [what, change] of Object.entries({
    body: { body: Buffer.from('{"a":2}') },
    path: { path: '/leases?x=2' },
    method: { method: 'PUT' },
    service: { domain: { ...domain, service: 'other' } },
    chain: { domain: { ...domain, chainId: 1n } },
    hub: { domain: { ...domain, hub: signer.address } },
  })) {
    it(`is bound to its ${what}`, async () => {
      expect(await reason(await sign(), change)).to.contain('not that of the account')
    })
  }
  it('refuses another account, and what is no header', async () => {
    const header = (await sign()).replace(signer.address, Wallet.createRandom().address)
    expect(await reason(header)).to.contain('not that of the account')
    for (const bad of [undefined, '', 'Bearer x', `${header}x`]) expect(await reason(bad)).to.contain('known form')
  })
})

describe('a contract account', () => {
  const account = hub
  const digest = `0x${'11'.repeat(32)}` as const
  const answering = (answer: (data: string) => string): ChainAccess => ({
    async send(method, [call]) {
      return method === 'eth_getCode' ? '0x60' : answer((call as { data: string }).data)
    },
  })
  const isSigned = (answer: (data: string) => string) =>
    isSignedBy({ account, digest, signature: '0x1234', chain: answering(answer) })

  it('signs by the word of ERC-1271, however much it says besides', async () => {
    expect(await isSigned(() => '0x1626ba7e'.padEnd(66, '0'))).to.equal(true)
    expect(await isSigned(() => '0x1626ba7e'.padEnd(130, '0'))).to.equal(true)
  })
  it('does not sign by an echo of the question, by four bytes or by nothing', async () => {
    for (const answer of [(data: string) => data, () => '0x1626ba7e', () => '0x', () => '0xffffffff'.padEnd(66, '0')]) {
      expect(await isSigned(answer)).to.equal(false)
    }
  })
})

describe('challenges', function () {
  this.timeout(30_000)
  let database: Database
  let close: () => Promise<void>
  const wallet = Wallet.createRandom()
  before(async () => {
    ;({ database, close } = await openTestDatabase({ migrations: [] }))
  })
  after(() => close())

  async function answer({ signer = wallet, lifetime }: { signer?: HDNodeWallet; lifetime?: number } = {}) {
    const account = wallet.address as `0x${string}`
    const options = lifetime === undefined ? {} : { lifetime }
    const challenge = await issueChallenge({
      database,
      account,
      chainId: 31337n,
      name: 'Gateway',
      text: 'Hi: ',
      ...options,
    })
    const { EIP712Domain: _, ...types } = challenge.types
    const signature = await signer.signTypedData(challenge.domain, types, challenge.message)
    return `${TypedDataEncoder.hash(challenge.domain, types, challenge.message)}_${signature}_${wallet.address}`
  }
  const verify = (token: string | undefined) =>
    verifyChallenge({ token, database, chain }).then(
      ({ account }) => account,
      (error: Error & { reason?: string }) => error.reason,
    )

  it('tells who answered, once', async () => {
    const token = await answer()
    expect(await verify(token)).to.equal(wallet.address)
    expect(await verify(token)).to.contain('was used')
  })
  it('tells it once, though several say so at once', async () => {
    const [first, second] = [await answer(), await answer()]
    const told = await Promise.all([first, second, first, first].map(verify))
    expect(told.filter((account) => account === wallet.address)).to.have.length(2)
    expect(told.filter((reason) => reason?.includes('was used'))).to.have.length(2)
  })
  it('lets parallel requests of one wallet each bring their own', async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => answer()))
    expect(await Promise.all(tokens.map(verify))).to.deep.equal(Array(5).fill(wallet.address))
  })
  it('expires', async () => {
    expect(await verify(await answer({ lifetime: -1 }))).to.contain('expired')
  })
  it('refuses the signature of another key', async () => {
    expect(await verify(await answer({ signer: Wallet.createRandom() }))).to.contain('not that of the address')
    expect(await verify('nonsense')).to.contain('known form')
  })
})
