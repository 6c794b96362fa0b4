// The published client, every module of it, against the running stack.
import { expect } from 'chai'
import { accountTests } from './account.ts'
import { appTests } from './app.ts'
import { moduleNames, onlooker, options, worked } from './client.ts'
import { datasetTests } from './dataset.ts'
import { dealTests } from './deal.ts'
import { hubTests } from './hub.ts'
import { excluded, offered, shownOptions } from './methods.ts'
import { networkTests } from './network.ts'
import { orderTests } from './order.ts'
import { orderbookTests } from './orderbook.ts'
import { resultTests } from './result.ts'
import { idleDeal, realRun } from './runs.ts'
import { secretsTests } from './secrets.ts'
import { conformanceStack, stopConformanceStack } from './stack.ts'
import { storageTests } from './storage.ts'
import { taskTests } from './task.ts'
import { utilsTests } from './utils.ts'
import { walletTests } from './wallet.ts'
import { workerpoolTests } from './workerpool.ts'

describe('C72 the published client, unmodified', () => {
  before(async function () {
    // The first to ask starts the stack.
    this.timeout(180_000)
    // What takes its time takes none of the others': it is under way while they are looked at.
    await idleDeal()
    await realRun()
  })
  after(stopConformanceStack)

  accountTests()
  appTests()
  datasetTests()
  hubTests()
  networkTests()
  orderTests()
  orderbookTests()
  resultTests()
  secretsTests()
  storageTests()
  utilsTests()
  walletTests()
  workerpoolTests()
  dealTests()
  taskTests()

  describe('as a whole', () => {
    it('is configured as its page shows', async () => {
      expect(shownOptions()).to.deep.equal(Object.keys(options(await conformanceStack())))
    })
    it('has no method that was forgotten', async () => {
      const methods = offered((await onlooker()).config)
      expect(new Set(methods.map((method) => method.split('.')[0]))).to.deep.equal(new Set([...moduleNames, 'utils']))
      const left = excluded()
      expect(methods.filter((method) => !worked.has(method) && !left.has(method))).to.deep.equal([])
      expect([...left.keys()].filter((method) => worked.has(method) || !methods.includes(method))).to.deep.equal([])
    })
  })
})
