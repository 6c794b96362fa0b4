import { type Collateral, type PolicyInput, verifyQuote } from '@sealdeal/attestation'
import { Bytes, Secret, Session, Task } from '@sealdeal/protocol'
import { expect } from 'chai'
import { getBytes, verifyMessage } from 'ethers'
import { fullParams, type MemoryChain, memoryChain, tdxTag } from './testing/chain.ts'
import { describeClauses, forget } from './testing/clauses.ts'
import { askNonce, attempt, openWorld, post, pushEverything, type World } from './testing/world.ts'

describe('sessions', function () {
  this.timeout(60_000)
  let world: World
  let memory: MemoryChain
  before(async () => {
    world = await openWorld(async (wall) => {
      memory = memoryChain(wall)
      return memory
    })
  })
  after(() => world.close())

  describeClauses(() => world)

  it('gives the enclave what its deal says, and nothing else', async () => {
    const standing = await world.matchDeal({ params: fullParams })
    await pushEverything(world, standing)
    await world.secrets.create({ kind: 'requester', owner: standing.deal.requester, name: 'other' }, 'not asked for')
    const outcome = await attempt(world, standing)
    const { deal, dealId, checksum } = standing
    expect(await outcome.open()).to.deep.equal({
      chainId: '31337',
      hub: world.chain.hub,
      dealId,
      index: '2',
      taskId: outcome.taskId,
      worker: outcome.worker,
      requester: deal.requester,
      beneficiary: deal.beneficiary,
      callback: deal.callback,
      tag: tdxTag,
      maxSeconds: 300,
      botFirst: '2',
      botSize: '3',
      app: { address: deal.app.pointer, type: 'BUNDLE', multiaddr: '0xa503', checksum },
      dataset: {
        address: deal.dataset.pointer,
        multiaddr: '0xa50301',
        checksum: `0x${'00'.repeat(32)}`,
        key: 'the dataset key',
      },
      params: fullParams,
      secrets: { app: 'the app secret', requester: { 1: 'the requester secret' } },
      resultKey: 'the result key',
    })
  })

  it("signs the authorization of the enclave's key for this worker and task", async () => {
    const standing = await world.matchDeal()
    const { body, worker, taskId, enclaveAddress } = await attempt(world, standing)
    const hash = Task.authorizationHash(worker, taskId, enclaveAddress)
    expect(verifyMessage(getBytes(hash), body.authorization ?? '')).to.equal(world.signer.address)
  })

  it('says by nonce and signature that the content is from nobody else', async () => {
    const standing = await world.matchDeal()
    const ask = { dealId: standing.dealId, index: String(standing.deal.botFirst), attempt: '7' }
    const { nonce, signer, seed } = await (await post(world, '/sessions/nonce', ask)).json()
    expect(signer).to.equal(world.signer.address)
    expect(Session.nonceOf({ signer, seed })).to.equal(nonce)

    const { body, reportData, open } = await attempt(world, standing, { nonce, attempt: 7n })
    await open()
    const { sealed = { enc: '', ciphertext: '' }, signature = '' } = body
    const hash = Session.sealedHash({ reportData, sealed })
    expect(verifyMessage(getBytes(hash), signature)).to.equal(world.signer.address)
  })

  it('tells everybody on what it was given, signed by who authorized the enclave', async () => {
    const outcome = await attempt(world, await world.matchDeal())
    const { taskId, enclaveAddress, reportData, nonce, worker } = outcome
    const answer = await fetch(new URL(`/evidence/${taskId}/${enclaveAddress.toLowerCase()}`, world.url))
    const evidence = (await answer.json()) as Session.Evidence
    expect(evidence).to.deep.include({ enclaveAddress, nonce, worker })
    const hash = Session.evidenceHash(reportData, evidence)
    expect(verifyMessage(getBytes(hash), evidence.signature)).to.equal(world.signer.address)
    const { collateral, policy, at, eventLog } = evidence
    const judged = verifyQuote({
      quote: Bytes.fromBase64(evidence.quote),
      collateral: collateral as Collateral,
      policy: policy as PolicyInput,
      at: new Date(at),
      reportData,
      events: eventLog,
    })
    expect((await judged).simulated).to.equal(true)

    const other = await fetch(new URL(`/evidence/${taskId}/${worker}`, world.url))
    expect([other.status, (await other.json()).name]).to.deep.equal([404, 'EvidenceNotFoundError'])
    expect((await fetch(new URL(`/evidence/${taskId}/0x12`, world.url))).status).to.equal(400)
  })

  it('keeps what it judged by once, however many sessions it gives', async () => {
    await attempt(world, await world.matchDeal())
    await attempt(world, await world.matchDeal())
    const [{ judgements } = { judgements: 0n }] = await world.database.query<{ judgements: bigint }>(
      'select count(*) as judgements from judgement',
    )
    expect(judgements).to.equal(1n)
  })

  it('says that the enclave is simulated', async () => {
    const outcome = await attempt(world, await world.matchDeal())
    expect(outcome.headers.get('x-simulated-enclave')).to.equal('true')
    expect(world.logged()).to.contain('simulated enclave')
  })

  it('gives no dataset, no secrets and no key to a deal that names none', async () => {
    await forget(world, 'account')
    const standing = await world.matchDeal({ withDataset: false, params: '' })
    const content = await (await attempt(world, standing)).open()
    expect(content).to.not.have.any.keys('dataset', 'resultKey')
    expect(content.secrets.requester).to.deep.equal({})
  })

  it('gives the key for results also to a task whose result is not encrypted, for what the app prints', async () => {
    const standing = await world.matchDeal({ withDataset: false, params: '' })
    const { resultKey: name } = Secret.reserved
    await world.secrets.create({ kind: 'account', owner: standing.deal.beneficiary, name }, 'the result key')
    expect(await (await attempt(world, standing)).open()).to.have.property('resultKey', 'the result key')
    await forget(world, 'account')
  })

  it('opens a further attempt after the first', async () => {
    const standing = await world.matchDeal()
    expect((await attempt(world, standing)).status).to.equal(200)
    expect((await attempt(world, standing, { attempt: 2n })).status).to.equal(200)
    const index = standing.deal.botFirst + 1n
    expect((await attempt(world, standing, { index })).status).to.equal(200)
  })

  for (const [status, answer] of Object.entries({ ACTIVE: 200, REVEALING: 403, COMPLETED: 403, FAILED: 403 })) {
    it(`answers ${answer} for a task that is ${status}`, async () => {
      const standing = await world.matchDeal()
      memory.setStatus(standing, status as Task.Status)
      expect((await attempt(world, standing)).status).to.equal(answer)
    })
  }

  it('opens one session when many enclaves ask at once for one attempt', async () => {
    const standing = await world.matchDeal()
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => attempt(world, standing)))
    expect(outcomes.filter(({ status }) => status === 200)).to.have.length(1)
    expect(outcomes.filter(({ body }) => body.name === 'SessionExistsError')).to.have.length(7)
  })

  it('opens one session when one request is sent many times at once', async () => {
    const standing = await world.matchDeal()
    const nonce = await askNonce(world, { dealId: standing.dealId, index: standing.deal.botFirst, attempt: 1n })
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => attempt(world, standing, { nonce })))
    expect(outcomes.filter(({ status }) => status === 200)).to.have.length(1)
  })

  it('records the session before the answer, and each refusal after the lease', async () => {
    const standing = await world.matchDeal({ params: fullParams })
    await pushEverything(world, standing)
    const granted = await attempt(world, standing)
    const { app, dataset, requester } = standing.deal
    const released = [
      ['app', app.pointer, ''],
      ['dataset', dataset.pointer, ''],
      ['requester', requester, 'token'],
      ['account', requester, Secret.reserved.resultKey],
    ].map(([kind, owner, name]) => [kind, owner?.toLowerCase(), name])
    await attempt(world, standing, { attempt: 2n, mrTd: `0x${'33'.repeat(48)}` })
    const rows = await world.database.query(
      'select action, outcome, attempt, actor, enclave_address, secrets, reason from audit_entry where task_id = $1 order by sequence',
      [granted.taskId],
    )
    expect(rows[0]).to.include({ action: 'session', outcome: 'done', attempt: 1n, actor: granted.worker })
    expect(rows[0]?.secrets).to.deep.equal(released)
    expect(rows[1]).to.include({ action: 'session', outcome: 'refused', attempt: 2n, reason: 'RuntimeNotAllowedError' })
  })

  it('answers 400 to a request that is none', async () => {
    const response = await fetch(`${world.url}/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"dealId":"0x12"}',
    })
    expect(response.status).to.equal(400)
  })
})
