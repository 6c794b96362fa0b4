import { Bytes, type Hex, Order } from '@sealdeal/protocol'
import {
  type Client,
  getGrantedAccess,
  grantAccess,
  prepareBulk,
  protectData,
  type RunReturnType,
  revokeAccess,
  run,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import type { Stack } from '../stack.ts'
import { escrow, finished, limits, newcomer, offerApp, prices, resultKey, textOf } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

/** Writes the size of each dataset that it was given, in the order in which they are numbered. */
const counter = `
  const { readFileSync, writeFileSync } = require('node:fs')
  const { IEXEC_IN, IEXEC_OUT, IEXEC_BULK_SLICE_SIZE, ...env } = process.env
  const names = Array.from({ length: Number(IEXEC_BULK_SLICE_SIZE) }, (_, n) => env['IEXEC_DATASET_' + (n + 1) + '_FILENAME'])
  const found = names.map((name) => [name, readFileSync(IEXEC_IN + '/' + name, 'latin1').includes('note')])
  writeFileSync(IEXEC_OUT + '/found.json', JSON.stringify(found))
  writeFileSync(IEXEC_OUT + '/computed.json', JSON.stringify({ 'deterministic-output-path': IEXEC_OUT + '/found.json' }))
`

describe('C54 many protected data are processed in one request', () => {
  let stack: Stack
  let requester: Client
  let made: RunReturnType
  let data: Hex[]
  let revoked: Hex
  const cost = prices.app + prices.pool

  before(async function () {
    this.timeout(120_000)
    stack = await sharedStack()
    const [company, hospital] = [await newcomer(stack), await newcomer(stack)]
    requester = await newcomer(stack, { staked: 3n * cost })
    const { app } = await offerApp(company, {
      bundle: {
        'iapp.json': Bytes.fromUtf8('{ "entrypoint": ["node", "counter.js"] }'),
        'counter.js': Bytes.fromUtf8(counter),
      },
    })
    data = []
    for (let number = 0; number < 5; number++) {
      const { address } = await protectData(hospital, { name: `C54 ${number}`, data: { note: `${number}` } })
      const who = { authorizedApp: app, authorizedUser: requester.account }
      await grantAccess(hospital, { protectedData: address, ...who, allowBulk: true })
      data.push(address)
    }
    const listed = await getGrantedAccess(requester, { authorizedApp: app, bulkOnly: true })
    const granted = listed.grantedAccess.map(({ order }) => order)
    const grants = data.flatMap((address) => granted.filter(({ dataset }) => dataset === address))
    expect(grants).to.have.length(5)
    const bulk = await prepareBulk(requester, { grants, perTask: 2 })
    expect(bulk.volume).to.equal(3n)
    revoked = data[3] as Hex
    const order = grants[3] as Order.Signed<'dataset'>
    await revokeAccess(hospital, { orderHash: Order.hash('dataset', order, hospital.domain) })
    made = await run(requester, { app, bulk, ...limits, resultKey: await resultKey() })
  })

  it('makes a task of each slice, and each reads its own data', async () => {
    expect(made.taskIds).to.have.length(3)
    const read = []
    for (const taskId of made.taskIds) {
      const { files, verified } = await finished(requester, made, taskId)
      expect(verified).to.equal(true)
      read.push(JSON.parse(textOf(files, 'found.json')))
    }
    const found = (...addresses: (Hex | undefined)[]) => addresses.map((address) => [address, true])
    expect(read).to.deep.equal([found(data[0], data[1]), found(data[2]), found(data[4])])
  })

  it('leaves out a grant that was revoked, and tells whoever reads the result why', async () => {
    const [first, second] = await Promise.all(
      made.taskIds.slice(0, 2).map((taskId) => finished(requester, made, taskId)),
    )
    expect(first?.leftOut).to.deep.equal([])
    expect(second?.leftOut).to.have.length(1)
    expect(second?.leftOut[0]).to.include({ address: revoked })
    expect(second?.leftOut[0]?.reason).to.match(/revoked/)
  })

  it('costs the app and the pool, for each task', async () => {
    expect(made.cost).to.equal(3n * cost)
    expect(await escrow(requester, requester.account)).to.include({ free: 0n, locked: 0n })
  })
})
