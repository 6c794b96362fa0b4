import {
  collateralNeeds,
  createCollateral,
  createPlatform,
  createPolicy,
  createRoot,
  type Platform,
  type Policy,
  type SimulatorRoot,
  simulateQuote,
  verifyQuote,
} from '@sealdeal/attestation'
import { expect } from 'chai'
import { openPccs } from './pccs.ts'
import { startPccs, type TestPccs } from './testing/pccs.ts'

const mrTd = `0x${'11'.repeat(48)}` as const
const reportData = `0x${'22'.repeat(64)}` as const
const HOUR = 3_600_000

describe('collateral from a provisioning service', () => {
  let root: SimulatorRoot
  let platform: Platform
  let policy: Policy
  let quote: Uint8Array
  let service: TestPccs
  before(async () => {
    const at = new Date()
    root = await createRoot({ at })
    platform = await createPlatform(root, { at })
    policy = await createPolicy(root, [{ tee: 'tdx', mrTd }])
    quote = await simulateQuote(platform, { mrTd, rtmr3: `0x${'00'.repeat(48)}`, reportData })
  })
  beforeEach(async () => {
    const { fmspc } = collateralNeeds(quote)
    service = await startPccs({ fmspc, collateral: platform.collateral })
  })
  afterEach(() => service.close())

  let time = Date.now()
  function open(stale: unknown[] = []) {
    time = Date.now()
    const onStale = (error: unknown) => stale.push(error)
    return openPccs({ url: `${service.url}/`, maxAge: HOUR, timeout: 2_000, clock: () => time, onStale })
  }
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('it was given'),
      (error: Error & { metaMessages?: string[] }) => error,
    )

  for (const lists of ['der', 'pem', 'hex'] as const) {
    for (const prefix of ['', 'SGX-']) {
      it(`judges a quote as the service signed it: lists as ${lists}, headers ${prefix || 'without SGX-'}`, async () => {
        Object.assign(service.state, { lists, prefix })
        const collateral = await open()(quote)
        expect(collateral).to.deep.equal(platform.collateral)
        const verdict = await verifyQuote({ quote, collateral, policy, at: new Date(), reportData })
        expect(verdict.simulated).to.equal(true)
      })
    }
  }

  it('asks for the family, the authority and the kind of enclave that the quote is of', async () => {
    await open()(quote)
    expect([...service.state.asked].sort()).to.deep.equal([
      '/sgx/certification/v4/pckcrl platform der',
      '/sgx/certification/v4/rootcacrl',
      '/tdx/certification/v4/qe/identity',
      `/tdx/certification/v4/tcb ${collateralNeeds(quote).fmspc}`,
    ])
  })

  it('asks once for many quotes, and again when what it has is too old', async () => {
    const source = open()
    await Promise.all(Array.from({ length: 20 }, () => source(quote)))
    time += HOUR - 1
    await source(quote)
    expect(service.state.asked).to.have.length(4)
    const renewed = await createCollateral(root, { at: new Date(), days: 10 })
    service.state.collateral = renewed
    time += 1
    expect(await source(quote)).to.deep.equal(renewed)
    expect(service.state.asked).to.have.length(8)
  })

  it('serves on with what it has when the service is away, says so, and does not hammer it', async () => {
    const stale: unknown[] = []
    const source = open(stale)
    await source(quote)
    service.state.isAway = true
    time += HOUR
    const asked = service.state.asked.length
    for (let n = 0; n < 5; n++) expect(await source(quote)).to.deep.equal(platform.collateral)
    expect(stale).to.have.length(1)
    expect(service.state.asked.length).to.be.within(asked + 1, asked + 4)
    service.state.isAway = false
    time += 10_000
    await source(quote)
    expect(service.state.asked.length).to.be.greaterThan(asked + 4)
  })

  it('says what is missing where it has nothing yet', async () => {
    service.state.isAway = true
    const away = await failure(open()(quote))
    expect(away.name).to.equal('CollateralUnavailableError')
    expect(away.message).to.match(/TDX platforms of the family [0-9A-F]{12} \(platform\): .+ cannot be fetched/)
    service.state.isAway = false
    await service.close()
    service = await startPccs({ fmspc: '000000000000', collateral: platform.collateral })
    expect((await failure(open()(quote))).message).to.contain('the TCB info was answered with status 404')
  })

  it('refuses what has another form, and does not take it for collateral', async () => {
    const { collateral } = platform
    const forms: [Partial<typeof collateral>, string][] = [
      [{ tcb_info: 'null' }, 'the TCB info is not of the form that is known'],
      [{ qe_identity_signature: 'zz' }, 'the QE identity is not of the form that is known'],
      [{ pck_crl: '' }, 'the PCK revocation list is not of the form that is known'],
      [{ root_ca_crl: 'ff00' }, "the root's revocation list is not of the form that is known"],
      [{ tcb_info_issuer_chain: '' }, 'came without its issuer chain'],
      [{ qe_identity: `{"x":"${'y'.repeat(2_100_000)}"}` }, 'the QE identity has more than 2000000 bytes'],
    ]
    for (const [changed, reason] of forms) {
      service.state.collateral = { ...collateral, ...changed }
      expect((await failure(open()(quote))).message, reason).to.contain(reason)
    }
  })

  it('fetches nothing for what is no quote', async () => {
    expect((await failure(open()(new Uint8Array(100)))).name).to.equal('QuoteRefusedError')
    expect(service.state.asked).to.deep.equal([])
  })
})
