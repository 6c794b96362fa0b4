import { expect } from 'chai'
import { accountKinds } from '../../accounts.ts'
import { failureOf } from '../../failures.ts'
import {
  appPrice,
  CLOSE,
  contributeArguments,
  contributionTo,
  createdAssets,
  DEPOSIT,
  datasetPrice,
  ethers,
  finalArguments,
  hashOrder,
  loadFixture,
  makeDeal,
  matchDeal,
  operationOn,
  price,
  RLC,
  SIGN,
  schedulerStake,
  settleArguments,
  settlementOf,
  signOperation,
  signOrder,
  signOrders,
  taskIdOf,
  time,
  workerpoolPrice,
} from '../../fixtures.ts'

const workerReward = (workerpoolPrice * 99n) / 100n

for (const [kind, makeParty] of accountKinds) {
  describe(`given ${kind}`, () => {
    /** The usual market and the account, which has `DEPOSIT` in the Hub. */
    async function withParty() {
      const assets = await loadFixture(createdAssets)
      const party = await makeParty()
      await assets.token.connect(assets.owner).approve(assets.hub, DEPOSIT)
      await assets.hub.connect(assets.owner).depositFor(DEPOSIT, party.address)
      return { ...assets, party }
    }

    it('as the owner of an app: it sells, earns, signs and closes by transaction or by signature, and leaves', async () => {
      const assets = await withParty()
      const { hub, party, app, appRegistry, appOwner, worker, domain } = assets
      await appRegistry.connect(appOwner).transferFrom(appOwner, party.address, app.target.toString())
      const { dealId } = await makeDeal(assets, { signers: { app: party.signer } })
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker })))
      expect(await hub.balanceOf(party.address)).to.equal(DEPOSIT + appPrice)

      const [order, ...others] = await signOrders(assets)
      await party.send(hub, 'manageAppOrder', [operationOn(order, SIGN)])
      expect(await hub.viewPresigned(hashOrder('app', order, domain))).to.equal(party.address)
      await matchDeal(assets, [{ ...order, sign: '0x' }, ...others])
      const closing = await signOperation('app', { order, operation: CLOSE }, { signer: party.signer, domain })
      await expect(hub.manageAppOrder(closing)).to.emit(hub, 'ClosedAppOrder')
      await party.send(hub, 'withdrawTo', [DEPOSIT + appPrice, worker.address])
      expect(await hub.balanceOf(party.address)).to.equal(0n)
    })

    it('as the owner of a dataset: it grants, earns and revokes, also in bulk', async () => {
      const assets = await withParty()
      const { hub, party, dataset, datasetRegistry, datasetOwner, worker, requester, domain } = assets
      await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, party.address, dataset.target.toString())
      const signers = { dataset: party.signer }
      const { dealId } = await makeDeal(assets, { signers })
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker })))
      expect(await hub.balanceOf(party.address)).to.equal(DEPOSIT + datasetPrice)

      const [, grant] = await signOrders(assets, { signers })
      const bulk = await makeDeal(assets, { dataset: null })
      await hub.connect(requester).attachDatasets(bulk.dealId, 0n, [grant], datasetPrice)
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId: bulk.dealId, worker })))
      expect(await hub.balanceOf(party.address)).to.equal(DEPOSIT + 2n * datasetPrice)

      const orders = await signOrders(assets, { signers })
      await party.send(hub, 'manageDatasetOrder', [operationOn(orders[1], CLOSE)])
      await expect(hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(hub, 'NothingLeft')
        .withArgs(1n, hashOrder('dataset', orders[1], domain), 1n)
    })

    it('as the owner of a pool: it stakes, authorizes, finalizes, and gets its share', async () => {
      const assets = await withParty()
      const { hub, party, workerpool, workerpoolRegistry, scheduler, worker } = assets
      await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, party.address, workerpool.target.toString())
      const wishes = { signers: { workerpool: party.signer }, workerpool: { trust: 2n } }
      const { dealId } = await makeDeal(assets, wishes)
      expect(await hub.frozenOf(party.address)).to.equal(schedulerStake)
      const authorizer = party.signer
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker, authorizer })))
      expect(await hub.viewAccount(party.address)).to.deep.equal([DEPOSIT + workerpoolPrice - workerReward, 0n])

      const replicated = await makeDeal(assets, { ...wishes, request: { trust: 2n } })
      await hub.initialize(replicated.dealId, 0n)
      const taskId = taskIdOf(replicated.dealId, 0n)
      const contribution = await contributionTo(assets, { taskId, worker, authorizer })
      await hub.connect(worker).contribute(...contributeArguments(taskId, contribution))
      await hub.connect(worker).reveal(taskId, contribution.resultDigest)
      await party.send(hub, 'finalize', [taskId, '0x', '0x'])
      expect((await hub.viewTask(taskId)).status).to.equal(3n)
    })

    it('as requester and beneficiary: it signs, pays, attaches and is refunded', async () => {
      const assets = await withParty()
      const { hub, party, worker, anyone, domain, datasetOwner } = assets
      const wishes = {
        request: { requester: party.address, beneficiary: party.address },
        signers: { request: party.signer },
      }
      const { dealId } = await makeDeal(assets, wishes)
      expect(await hub.viewAccount(party.address)).to.deep.equal([DEPOSIT - price, price])
      expect((await hub.viewDeal(dealId)).beneficiary).to.equal(party.address)
      await hub.settleFailure(...(await failureOf(assets, { dealId, worker, cause: 1n })))
      expect(await hub.viewAccount(party.address)).to.deep.equal([DEPOSIT, 0n])

      const [app, , workerpool, request] = await signOrders(assets, { ...wishes, dataset: null })
      await party.send(hub, 'manageRequestOrder', [operationOn(request, SIGN)])
      const unsigned = { ...request, sign: '0x' }
      const [, grant] = await signOrders(assets)
      const noGrant = { ...grant, dataset: ethers.ZeroAddress, sign: '0x' }
      const bulk = await matchDeal(assets, [app, noGrant, workerpool, unsigned])
      const signed = await signOrder('dataset', grant, { signer: datasetOwner, domain })
      await party.send(hub, 'attachDatasets', [bulk.dealId, 0n, [signed], datasetPrice])
      expect(await hub.frozenOf(party.address)).to.equal(price)
      await time.increase(3000)
      await hub.connect(anyone).initializeAndClaimArray([bulk.dealId], [0n])
      expect(await hub.viewAccount(party.address)).to.deep.equal([DEPOSIT, 0n])
    })

    it('as sponsor: it pays, and is refunded', async () => {
      const assets = await withParty()
      const { hub, party, requester } = assets
      const orders = await signOrders(assets)
      const dealId = await hub.matchOrders.staticCall(...orders)
      await party.send(hub, 'sponsorMatchOrders', orders)
      expect(await hub.viewAccount(party.address)).to.deep.equal([DEPOSIT - price, price])
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId], [0n])
      expect(await hub.viewAccount(party.address)).to.deep.equal([DEPOSIT, 0n])
    })

    it('as worker: it contributes, reveals and is paid, alone or with others', async () => {
      const assets = await withParty()
      const { hub, party, scheduler } = assets
      const { dealId } = await makeDeal(assets, { workerpool: { trust: 2n }, request: { trust: 2n } })
      await hub.initialize(dealId, 0n)
      const taskId = taskIdOf(dealId, 0n)
      const contribution = await contributionTo(assets, { taskId, worker: party })
      await party.send(hub, 'contribute', contributeArguments(taskId, contribution))
      await party.send(hub, 'reveal', [taskId, contribution.resultDigest])
      await hub.connect(scheduler).finalize(taskId, '0x', '0x')
      expect(await hub.viewAccount(party.address)).to.deep.equal([DEPOSIT + workerReward, 0n])

      const alone = await makeDeal(assets)
      await hub.initialize(alone.dealId, 0n)
      const only = taskIdOf(alone.dealId, 0n)
      const final = finalArguments(only, await contributionTo(assets, { taskId: only, worker: party }))
      await party.send(hub, 'contributeAndFinalize', final)
      expect(await hub.balanceOf(party.address)).to.equal(DEPOSIT + 2n * workerReward)
    })

    it('as the key of an enclave: its signature ends the task, well or not', async () => {
      const assets = await withParty()
      const { hub, party, worker } = assets
      const enclave = party.signer
      const { dealId } = await makeDeal(assets)
      const settled = await settlementOf(assets, { dealId, worker, enclave })
      await hub.settle(...settleArguments(settled))
      expect((await hub.viewContribution(settled.taskId, worker)).enclaveChallenge).to.equal(party.address)
      const next = await makeDeal(assets)
      await expect(hub.settleFailure(...(await failureOf(assets, { dealId: next.dealId, worker, cause: 1n, enclave }))))
        .to.emit(hub, 'TaskFailed')
        .withArgs(taskIdOf(next.dealId, 0n), worker.address, 1n)
    })

    it('as TEE broker: it authorizes in place of the pool', async () => {
      const assets = await withParty()
      const { hub, party, owner, worker } = assets
      await hub.connect(owner).setTeeBroker(party.address)
      const { dealId } = await makeDeal(assets)
      const byPool = await settlementOf(assets, { dealId, worker })
      // The broker's code is asked about this one, and may burn all there is.
      await expect(hub.settle(...settleArguments(byPool), { gasLimit: 2_000_000n }))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(byPool.taskId, worker.address, byPool.enclaveChallenge, party.address)
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker, authorizer: party.signer })))
      expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + workerReward)
    })

    it('as the owner of the Hub: it governs, and hands over', async () => {
      const assets = await withParty()
      const { hub, party, owner, token, requester, anyone, broker } = assets
      await hub.connect(owner).transferOwnership(party.address)
      await expect(hub.connect(owner).recover())
        .to.be.revertedWithCustomError(hub, 'NotOwner')
        .withArgs(owner.address, party.address)
      await party.send(hub, 'createCategory', ['odd', '', 77n])
      await party.send(hub, 'setTeeBroker', [broker.address])
      await party.send(hub, 'setCallbackGas', [123n])
      await token.connect(requester).transfer(hub, RLC)
      await party.send(hub, 'recover', [])
      expect(await hub.balanceOf(party.address)).to.equal(DEPOSIT + RLC)
      expect([await hub.countCategory(), await hub.teebroker(), await hub.callbackgas()]).to.deep.equal([
        6n,
        broker.address,
        123n,
      ])
      await party.send(hub, 'transferOwnership', [anyone.address])
      expect(await hub.owner()).to.equal(anyone.address)
    })
  })
}
