import { setTimeout as sleep } from 'node:timers/promises'
import type { Address, Hex } from '@sealdeal/protocol'
import { expect } from 'chai'
import { keccak256, toBeHex, toUtf8Bytes } from 'ethers'
import fc from 'fast-check'
import type { ChainAccess } from './chain.ts'
import type { Database } from './database.ts'
import { type Follower, follow } from './follow.ts'
import { createLog } from './log.ts'
import { openTestDatabase } from './testing.ts'

const address = `0x${'11'.repeat(20)}` as Address
const log = createLog({ name: 'test', level: 'silent' })

type ModelBlock = { number: number; hash: Hex; parentHash: Hex; timestamp: number; values: number[] }

/** A chain that reorganises at will and answers the four calls that a follower makes. Answers may fail at random. */
function modelChain({ flaky = 0 }: { flaky?: number } = {}) {
  let made = 0
  let value = 0
  const make = (parent: ModelBlock | undefined, values: number[]): ModelBlock => ({
    number: (parent?.number ?? -1) + 1,
    hash: keccak256(toUtf8Bytes(`block ${made++} ${Math.random()}`)) as Hex,
    parentHash: parent?.hash ?? (`0x${'00'.repeat(32)}` as Hex),
    timestamp: 1_000 + made,
    values,
  })
  let blocks = [make(undefined, [])]
  const tip = () => blocks.at(-1)
  const hex = (number: number) => toBeHex(number) as Hex

  function mine(counts: readonly number[]): void {
    for (const count of counts)
      blocks.push(
        make(
          tip(),
          Array.from({ length: count }, () => value++),
        ),
      )
  }
  function reorganise(depth: number, counts: readonly number[]): void {
    blocks = blocks.slice(0, Math.max(1, blocks.length - depth))
    mine(counts)
  }
  function header(block: ModelBlock | undefined) {
    if (!block) return null
    return {
      number: hex(block.number),
      hash: block.hash,
      parentHash: block.parentHash,
      timestamp: hex(block.timestamp),
    }
  }
  function logsOf({ number, hash, values }: ModelBlock) {
    return values.map((each, index) => ({
      address,
      topics: [],
      data: toBeHex(each, 32),
      blockNumber: hex(number),
      blockHash: hash,
      transactionHash: hash,
      logIndex: hex(index),
    }))
  }
  function answer(method: string, [first]: unknown[]): unknown {
    if (method === 'eth_getBlockByNumber') {
      return header(first === 'latest' ? tip() : blocks[Number(first)])
    }
    if (method === 'eth_getBlockByHash') return header(blocks.find(({ hash }) => hash === first))
    const filter = first as { blockHash?: Hex; fromBlock?: Hex; toBlock?: Hex }
    if (filter.blockHash) {
      const block = blocks.find(({ hash }) => hash === filter.blockHash)
      if (!block) throw new Error('unknown block')
      return logsOf(block)
    }
    return blocks.slice(Number(filter.fromBlock), Number(filter.toBlock) + 1).flatMap(logsOf)
  }
  const access: ChainAccess = {
    async send(method, params) {
      await sleep(0)
      if (Math.random() < flaky) throw new Error('the node is tired')
      const result = answer(method, params)
      await sleep(0)
      return result
    },
  }
  return {
    access,
    mine,
    reorganise,
    values: () => blocks.flatMap(({ values }) => values),
    height: () => blocks.length - 1,
  }
}

type Model = ReturnType<typeof modelChain>

describe('follow', function () {
  this.timeout(60_000)
  let database: Database
  let close: () => Promise<void>
  before(async () => {
    ;({ database, close } = await openTestDatabase({ migrations: [] }))
    await database.query('create table seen (name text, block text, value int)')
  })
  after(() => close())

  async function start(name: string, { access }: Model): Promise<Follower> {
    return follow({
      chain: access,
      database,
      name,
      address,
      log,
      interval: 1,
      async apply({ transaction, block, logs }) {
        for (const { data } of logs) {
          await transaction.query('insert into seen values ($1, $2, $3)', [name, block.hash, Number(data)])
        }
      },
      async undo({ transaction, block }) {
        await transaction.query('delete from seen where name = $1 and block = $2', [name, block.hash])
      },
    })
  }
  async function seen(name: string): Promise<number[]> {
    const rows = await database.query<{ value: number }>('select value from seen where name = $1 order by value', [
      name,
    ])
    return rows.map(({ value }) => value)
  }
  async function settle(name: string, model: Model): Promise<void> {
    const deadline = Date.now() + 20_000
    while (Date.now() < deadline) {
      if (JSON.stringify(await seen(name)) === JSON.stringify(model.values())) return
      await sleep(5)
    }
    expect(await seen(name)).to.deep.equal(model.values())
  }

  it('reads a long history in ranges, then block by block', async () => {
    const model = modelChain()
    model.mine(Array.from({ length: 50 }, (_, index) => index % 3))
    const follower = await start('history', model)
    await follower.reach()
    expect(await seen('history')).to.deep.equal(model.values())
    model.mine([2])
    await follower.reach()
    expect(await seen('history')).to.deep.equal(model.values())
    expect(follower.status()).to.deep.equal({ head: 51n, cursor: 51n })
    await follower.close()
  })

  it('notices a reorganisation that leaves the chain shorter, and one of equal height', async () => {
    const model = modelChain()
    model.mine([1, 1, 1, 1])
    const follower = await start('shorter', model)
    await follower.reach()
    model.reorganise(2, [])
    await settle('shorter', model)
    model.reorganise(1, [3])
    await settle('shorter', model)
    await follower.close()
  })

  it('finds the fork of a reorganisation deeper than what it keeps of empty blocks', async () => {
    const model = modelChain()
    model.mine([1, ...Array.from({ length: 1_500 }, () => 0), 1])
    const follower = await start('deep', model)
    await follower.reach()
    model.reorganise(1_400, [0, 2, 0])
    await settle('deep', model)
    await follower.close()
  })

  it('hands over a history in one go, the oldest block first, to who takes many at once', async () => {
    const model = modelChain()
    model.mine(Array.from({ length: 60 }, (_, index) => index % 2))
    const batches: bigint[][] = []
    const follower = await follow({
      chain: model.access,
      database,
      name: 'many',
      address,
      also: { topics: [] },
      log,
      interval: 1,
      async applyBlocks({ blocks }) {
        batches.push(blocks.map(({ block }) => block.number))
        expect(blocks.every(({ logs }) => logs.length === 1)).to.equal(true)
      },
      async undo() {},
    })
    await follower.reach()
    await follower.close()
    expect(batches).to.deep.equal([Array.from({ length: 30 }, (_, index) => BigInt(2 * index + 2))])
  })

  it('refuses a chain with another beginning', async () => {
    const first = await start('foreign', modelChain())
    await first.close()
    const refusal = await start('foreign', modelChain()).catch((error: Error) => error)
    expect(refusal).to.have.property('name', 'ForeignChainError')
  })

  it('holds the rows of the chain and no others after random blocks, reorganisations, restarts and failures', async () => {
    const counts = fc.array(fc.nat(3), { maxLength: 12 })
    const step = fc.oneof(
      fc.record({ mine: counts }),
      fc.record({ depth: fc.integer({ min: 1, max: 20 }), mine: counts }),
      fc.constant({ restart: true as const }),
      fc.constant({ settle: true as const }),
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const name = `random-${run++}`
        const model = modelChain({ flaky: 0.02 })
        // Two replicas over the same rows.
        const replicas = [await patiently(() => start(name, model)), await patiently(() => start(name, model))]
        for (const each of steps) {
          if ('depth' in each) model.reorganise(each.depth, each.mine)
          else if ('mine' in each) model.mine(each.mine)
          else if ('settle' in each) await settle(name, model)
          else {
            await replicas.shift()?.close()
            replicas.push(await patiently(() => start(name, model)))
          }
        }
        await settle(name, model)
        for (const replica of replicas) await replica.close()
      }),
      { numRuns: 25 },
    )
  })
})

/** The model's node fails at random; whoever starts a follower tries again. */
async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!String(error).includes('tired')) throw error
    }
  }
}
