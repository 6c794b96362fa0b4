import { expect } from 'chai'
import {
  type Assets,
  CLOSE,
  createdAssets,
  ethers,
  hashOrder,
  type Kind,
  loadFixture,
  type Operation,
  type OrderOf,
  operationOn,
  type Quadruple,
  SIGN,
  signedOrders,
  signOperation,
  signOrders,
} from '../../fixtures.ts'

/** The four functions differ in the kind of order only: what one must do, each must do. */
const kinds: {
  kind: Kind
  name: 'App' | 'Dataset' | 'Workerpool' | 'Request'
  ordinal: bigint
  index: 0 | 1 | 2 | 3
}[] = [
  { kind: 'app', name: 'App', ordinal: 0n, index: 0 },
  { kind: 'dataset', name: 'Dataset', ordinal: 1n, index: 1 },
  { kind: 'workerpool', name: 'Workerpool', ordinal: 2n, index: 2 },
  { kind: 'request', name: 'Request', ordinal: 3n, index: 3 },
]

type Sender = Assets['anyone']

function manage({ hub }: Assets, kind: Kind, operation: Operation<OrderOf[Kind]>, sender: Sender) {
  const connected = hub.connect(sender)
  const { order, operation: code, sign } = operation
  switch (kind) {
    case 'app':
      return connected.manageAppOrder({ order: order as OrderOf['app'], operation: code, sign })
    case 'dataset':
      return connected.manageDatasetOrder({ order: order as OrderOf['dataset'], operation: code, sign })
    case 'workerpool':
      return connected.manageWorkerpoolOrder({ order: order as OrderOf['workerpool'], operation: code, sign })
    case 'request':
      return connected.manageRequestOrder({ order: order as OrderOf['request'], operation: code, sign })
  }
}

function ownerOf(assets: Assets, kind: Kind): Sender {
  const { appOwner, datasetOwner, scheduler, requester } = assets
  return { app: appOwner, dataset: datasetOwner, workerpool: scheduler, request: requester }[kind]
}

/** The same orders, one of them without its signature. */
function unsignedAt(orders: Quadruple, index: number): Quadruple {
  const [app, dataset, workerpool, request] = orders
  const strip = <T extends { sign: string }>(order: T, position: number): T =>
    position === index ? { ...order, sign: '0x' } : order
  return [strip(app, 0), strip(dataset, 1), strip(workerpool, 2), strip(request, 3)]
}

for (const { kind, name, ordinal, index } of kinds) {
  describe(`manage${name}Order`, () => {
    describe('when the owner signs', () => {
      it('remembers it, so that the order matches without a signature', async () => {
        const assets = await loadFixture(signedOrders)
        const { hub, orders, domain } = assets
        const orderHash = hashOrder<Kind>(kind, orders[index], domain)
        const owner = ownerOf(assets, kind)
        const without = unsignedAt(orders, index)
        await expect(hub.matchOrders(...without))
          .to.be.revertedWithCustomError(hub, 'NotAuthentic')
          .withArgs(ordinal, orderHash, owner.address)
        await expect(manage(assets, kind, operationOn(orders[index], SIGN), owner))
          .to.emit(hub, `Signed${name}Order`)
          .withArgs(orderHash)
        expect(await hub.viewPresigned(orderHash)).to.equal(owner.address)
        await expect(hub.matchOrders(...without)).to.emit(hub, 'OrdersMatched')
      })
    })

    describe('when the owner closes', () => {
      it('uses up what is left of the volume, so that the order never matches again', async () => {
        const assets = await loadFixture(createdAssets)
        const { hub, domain } = assets
        const volumes = {
          app: { volume: 5n },
          dataset: { volume: 5n },
          workerpool: { volume: 5n },
          request: { volume: 5n },
        }
        const orders = await signOrders(assets, volumes)
        const orderHash = hashOrder<Kind>(kind, orders[index], domain)
        await expect(manage(assets, kind, operationOn(orders[index], CLOSE), ownerOf(assets, kind)))
          .to.emit(hub, `Closed${name}Order`)
          .withArgs(orderHash)
        expect(await hub.viewConsumed(orderHash)).to.equal(5n)
        await expect(hub.matchOrders(...orders))
          .to.be.revertedWithCustomError(hub, 'NothingLeft')
          .withArgs(ordinal, orderHash, 5n)
      })

      it('cannot be undone by signing again', async () => {
        const assets = await loadFixture(signedOrders)
        const { hub, orders } = assets
        const owner = ownerOf(assets, kind)
        await manage(assets, kind, operationOn(orders[index], CLOSE), owner)
        await manage(assets, kind, operationOn(orders[index], SIGN), owner)
        await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'NothingLeft')
      })
    })

    describe("when anyone carries the owner's signature", () => {
      for (const operation of [SIGN, CLOSE]) {
        it(`${operation === SIGN ? 'signs' : 'closes'} for the owner`, async () => {
          const assets = await loadFixture(signedOrders)
          const { hub, orders, domain, anyone } = assets
          const order = orders[index]
          const signed = await signOperation(kind, { order, operation }, { signer: ownerOf(assets, kind), domain })
          await expect(manage(assets, kind, signed, anyone))
            .to.emit(hub, `${operation === SIGN ? 'Signed' : 'Closed'}${name}Order`)
            .withArgs(hashOrder<Kind>(kind, order, domain))
        })
      }

      it('refuses a signature of the other operation', async () => {
        const assets = await loadFixture(signedOrders)
        const { hub, orders, domain, anyone } = assets
        const order = orders[index]
        const owner = ownerOf(assets, kind)
        const signed = await signOperation(kind, { order, operation: SIGN }, { signer: owner, domain })
        await expect(manage(assets, kind, { ...signed, operation: CLOSE }, anyone))
          .to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
          .withArgs(hashOrder<Kind>(kind, order, domain), owner.address, anyone.address)
      })

      it("refuses the order's own signature in its place", async () => {
        const assets = await loadFixture(signedOrders)
        const { hub, orders, anyone } = assets
        const order = orders[index]
        await expect(
          manage(assets, kind, { order, operation: CLOSE, sign: order.sign }, anyone),
        ).to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
      })
    })

    describe('when anyone else calls', () => {
      it('refuses', async () => {
        const assets = await loadFixture(signedOrders)
        const { hub, orders, domain, anyone } = assets
        const order = orders[index]
        await expect(manage(assets, kind, operationOn(order, CLOSE), anyone))
          .to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
          .withArgs(hashOrder<Kind>(kind, order, domain), ownerOf(assets, kind).address, anyone.address)
      })
    })

    describe('when the operation does not exist', () => {
      it('refuses', async () => {
        const assets = await loadFixture(signedOrders)
        const { hub, orders } = assets
        await expect(manage(assets, kind, operationOn(orders[index], 2n), ownerOf(assets, kind)))
          .to.be.revertedWithCustomError(hub, 'UnknownOperation')
          .withArgs(2n)
      })
    })

    if (kind !== 'request') {
      describe('when the asset is not registered', () => {
        it('refuses everybody', async () => {
          const assets = await loadFixture(signedOrders)
          const { hub, orders, domain, anyone } = assets
          const stranger = { ...orders[index], [kind]: anyone.address }
          await expect(manage(assets, kind, operationOn(stranger, CLOSE), anyone))
            .to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
            .withArgs(hashOrder<Kind>(kind, stranger, domain), ethers.ZeroAddress, anyone.address)
        })
      })

      describe('when the asset has a new owner', () => {
        it('obeys the new one, and the old signatures are worth nothing', async () => {
          const assets = await loadFixture(signedOrders)
          const { hub, orders, domain, anyone, appRegistry, datasetRegistry, workerpoolRegistry } = assets
          const registry = { app: appRegistry, dataset: datasetRegistry, workerpool: workerpoolRegistry }[kind]
          const entry = { app: assets.app, dataset: assets.dataset, workerpool: assets.workerpool }[kind]
          const old = ownerOf(assets, kind)
          await manage(assets, kind, operationOn(orders[index], SIGN), old)
          await registry.connect(old).transferFrom(old, anyone, entry.target.toString())
          const orderHash = hashOrder<Kind>(kind, orders[index], domain)
          for (const attempt of [orders, unsignedAt(orders, index)]) {
            await expect(hub.matchOrders(...attempt))
              .to.be.revertedWithCustomError(hub, 'NotAuthentic')
              .withArgs(ordinal, orderHash, anyone.address)
          }
          await expect(manage(assets, kind, operationOn(orders[index], CLOSE), old)).to.be.revertedWithCustomError(
            hub,
            'OperationNotAuthorized',
          )
          await expect(manage(assets, kind, operationOn(orders[index], CLOSE), anyone)).to.emit(
            hub,
            `Closed${name}Order`,
          )
        })
      })
    }
  })
}
