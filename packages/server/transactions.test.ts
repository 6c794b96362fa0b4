import { setTimeout as sleep } from 'node:timers/promises'
import type { Address, Hex } from '@sealdeal/protocol'
import { expect } from 'chai'
import { parseUnits, Transaction, Wallet } from 'ethers'
import { skipWithoutAnvil, startAnvil } from '../../test/deploy/anvil.ts'
import { type Chain, connectChain } from './chain.ts'
import type { Database } from './database.ts'
import { createLog } from './log.ts'
import { openTestDatabase } from './testing.ts'
import { transactionRows } from './transactionRows.ts'
import { createTransactions, type Transactions, type TransactionsParameters } from './transactions.ts'

const log = createLog({ name: 'test', level: process.env.LOG_LEVEL ?? 'silent' })
const to = `0x${'22'.repeat(20)}` as Address

describe('createTransactions, on a node that mines when it is told to', function () {
  this.timeout(60_000)
  let chain: Chain
  let database: Database
  const closers: (() => Promise<unknown>)[] = []
  const open = new Set<Transactions>()

  before(async function () {
    skipWithoutAnvil(this)
    const anvil = await startAnvil({ args: ['--no-mining', '--disable-console-log'] })
    closers.push(anvil.stop)
    chain = await connectChain({ url: anvil.url })
    closers.push(async () => chain.provider.destroy())
    const opened = await openTestDatabase({ migrations: [] })
    closers.push(opened.close)
    database = opened.database
  })
  afterEach(async () => {
    for (const transactions of open) await transactions.close()
    open.clear()
  })
  after(async () => {
    for (const close of closers.reverse()) await close()
  })

  async function fundedWallet(): Promise<Wallet> {
    const wallet = new Wallet(Wallet.createRandom().privateKey, chain.provider)
    await chain.provider.send('anvil_setBalance', [wallet.address, '0x8ac7230489e80000'])
    return wallet
  }
  function start(wallet: Wallet, options: Partial<TransactionsParameters> = {}): Transactions {
    const quick = { interval: 20, idleInterval: 50, resendAfter: 200, raiseAfter: 300 }
    const transactions = createTransactions({ wallet, database, chainId: chain.chainId, log, ...quick, ...options })
    open.add(transactions)
    return transactions
  }
  const pay = (transactions: Transactions, value = 1n) =>
    transactions.send({ to, data: '0x', value, gasLimit: 21_000n })
  const mine = () => chain.provider.send('evm_mine', [])
  const counts = async (wallet: Wallet) => [await wallet.getNonce('latest'), await wallet.getNonce('pending')]
  const hashesOf = async (id: string) => {
    const [row] = await database.query<{ hashes: Hex[] }>('select hashes from sent_transaction where id = $1', [id])
    return row?.hashes ?? []
  }
  async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
    for (const deadline = Date.now() + 30_000; !(await holds()); await sleep(20))
      if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
  }
  /** Signed with the same key by a program that knows nothing of ours. */
  async function stranger(wallet: Wallet, nonce: number, gwei: string): Promise<Hex> {
    const fee = parseUnits(gwei, 'gwei')
    const raw = await wallet.signTransaction({
      ...{ to, value: 7n, nonce, gasLimit: 21_000n, type: 2, chainId: chain.chainId },
      ...{ maxFeePerGas: fee, maxPriorityFeePerGas: fee },
    })
    await chain.provider.send('eth_sendRawTransaction', [raw])
    return Transaction.from(raw).hash as Hex
  }

  it('has many under way at once, in two replicas, and leaves them alone while nothing is mined', async () => {
    const wallet = await fundedWallet()
    const replicas = [start(wallet), start(wallet)]
    const sent = await Promise.all(Array.from({ length: 60 }, (_, index) => pay(replicas[index % 2] as Transactions)))
    expect(await counts(wallet)).to.deep.equal([0, 60])
    await sleep(700)
    for (const { id, hash } of sent) expect(await hashesOf(id)).to.deep.equal([hash])
    await mine()
    const receipts = await Promise.all(sent.map(({ wait }) => wait()))
    expect(receipts.every(({ status }) => status === 1)).to.equal(true)
    expect(new Set(receipts.map(({ hash }) => hash)).size).to.equal(60)
    expect(await counts(wallet)).to.deep.equal([60, 60])
    for (const replica of replicas) replica.check()
  })

  it('offers again what the node dropped, and what stood behind it', async () => {
    const wallet = await fundedWallet()
    const transactions = start(wallet)
    const sent = []
    for (let n = 0; n < 5; n++) sent.push(await pay(transactions))
    await chain.provider.send('anvil_dropTransaction', [sent[2]?.hash])
    expect((await counts(wallet))[1]).to.be.lessThan(5)
    await until(async () => (await counts(wallet))[1] === 5, 'all of them known again')
    await mine()
    for (const { hash, wait } of sent) expect(await wait()).to.include({ hash, status: 1 })
  })

  it('tells, with proof, that another transaction took the nonce; the others are mined', async () => {
    const wallet = await fundedWallet()
    const transactions = start(wallet)
    const [first, second, third] = [await pay(transactions), await pay(transactions), await pay(transactions)]
    await stranger(wallet, 1, '500')
    await mine()
    expect((await first.wait()).status).to.equal(1)
    expect((await third.wait()).status).to.equal(1)
    const lost = await second.wait().catch((error: Error) => error)
    expect(lost).to.have.property('name', 'TransactionDroppedError')
    expect(await chain.provider.getTransactionReceipt(second.hash)).to.equal(null)
    const fourth = await pay(transactions)
    await mine()
    expect((await fourth.wait()).status).to.equal(1)
    expect(await counts(wallet)).to.deep.equal([4, 4])
  })

  it('pays more when blocks leave it out, never more than the highest fee, and is mined once', async () => {
    const wallet = await fundedWallet()
    const highestFee = parseUnits('40', 'gwei')
    const transactions = start(wallet, { highestFee })
    const [first, second] = [await pay(transactions), await pay(transactions)]
    const dear = `0x${parseUnits('30', 'gwei').toString(16)}`
    const dearBlock = async () => {
      await chain.provider.send('anvil_setNextBlockBaseFeePerGas', [dear])
      await mine()
    }
    await until(async () => {
      await dearBlock()
      return (await wallet.getNonce('latest')) === 2
    }, 'both mined at the higher fee')
    for (const { id, hash, wait } of [first, second]) {
      const receipt = await wait()
      const hashes = await hashesOf(id)
      expect(hashes[0]).to.equal(hash)
      expect(hashes.indexOf(receipt.hash as Hex)).to.be.greaterThan(0)
      const mined = await chain.provider.getTransaction(receipt.hash)
      expect(mined?.maxFeePerGas).to.satisfy((fee: bigint) => fee <= highestFee && fee >= BigInt(dear))
    }
    await chain.provider.send('anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00'])
    await mine()
    expect(await counts(wallet)).to.deep.equal([2, 2])
  })

  it('is under way again when a reorganisation took it back', async () => {
    const wallet = await fundedWallet()
    const transactions = start(wallet)
    const snapshot = await chain.provider.send('evm_snapshot', [])
    const sent = await pay(transactions)
    await mine()
    expect((await sent.wait()).status).to.equal(1)
    await chain.provider.send('evm_revert', [snapshot])
    await until(async () => {
      await mine()
      return (await wallet.getNonce('latest')) === 1
    }, 'mined again')
    expect((await chain.provider.getTransactionReceipt(sent.hash))?.status).to.equal(1)
  })

  it('fills a nonce that nothing uses any more', async () => {
    const wallet = await fundedWallet()
    const forgotten = await stranger(wallet, 0, '5')
    const transactions = start(wallet)
    const sent = await pay(transactions)
    await chain.provider.send('anvil_dropTransaction', [forgotten])
    await until(async () => (await counts(wallet))[1] === 2, 'the gap filled')
    await mine()
    expect((await sent.wait()).status).to.equal(1)
    expect((await chain.provider.getTransaction(sent.hash))?.nonce).to.equal(1)
    expect(await chain.provider.getTransactionReceipt(forgotten)).to.equal(null)
  })

  it('takes up what a killed replica recorded and did not send', async () => {
    const wallet = await fundedWallet()
    const rows = transactionRows({ database, chainId: chain.chainId, account: wallet.address })
    const fee = parseUnits('5', 'gwei')
    const raw = (await wallet.signTransaction({
      ...{ to, value: 5n, nonce: 0, gasLimit: 21_000n, type: 2, chainId: chain.chainId },
      ...{ maxFeePerGas: fee, maxPriorityFeePerGas: 1n },
    })) as Hex
    const hash = Transaction.from(raw).hash as Hex
    const id = '6f1c1c5e-54a5-4f5e-9d9b-0d9f3b1f6a12'
    await rows.exclusively((transaction) => rows.add(transaction, { id, nonce: 0, hash, raw, reference: 'request-1' }))
    const transactions = start(wallet)
    const taken = await transactions.resume('request-1')
    const next = await pay(transactions)
    await until(async () => (await counts(wallet))[1] === 2, 'both known to the node')
    await mine()
    expect(await taken?.wait()).to.include({ hash, status: 1 })
    expect((await next.wait()).status).to.equal(1)
  })

  it('frees the nonce of what the node refuses, and writes nothing that was not sent', async () => {
    const wallet = await fundedWallet()
    const transactions = start(wallet)
    const refusal = await pay(transactions, 10n ** 24n).catch((error: Error) => error)
    expect(refusal).to.have.property('name', 'SendRefusedError')
    const unwritten = await transactions
      .send({
        ...{ to, data: '0x', gasLimit: 21_000n },
        signed: async () => {
          throw new Error('changed my mind')
        },
      })
      .catch((error: Error) => error.message)
    expect(unwritten).to.equal('changed my mind')
    const sent = await pay(transactions)
    await mine()
    expect((await sent.wait()).status).to.equal(1)
    expect(await counts(wallet)).to.deep.equal([1, 1])
  })
})
