import { randomUUID } from 'node:crypto'
import type { Address, Hex } from '@sealdeal/protocol'
import { expect } from 'chai'
import { Transaction, Wallet } from 'ethers'
import type { Database } from './database.ts'
import { createLog } from './log.ts'
import { databaseOutbox, memoryOutbox } from './outbox.ts'
import { createSender } from './sender.ts'
import { startTestChain, type TestChain } from './testing/chain.ts'
import { openTestDatabase } from './testing.ts'

const log = createLog({ name: 'test', level: 'silent' })
const to = `0x${'22'.repeat(20)}` as Address

describe('createSender', function () {
  this.timeout(60_000)
  let chain: TestChain
  let database: Database
  let close: () => Promise<void>
  before(async () => {
    chain = await startTestChain()
    ;({ database, close } = await openTestDatabase({ migrations: [] }))
  })
  after(async () => {
    await close()
    await chain.close()
  })

  async function fundedWallet(): Promise<Wallet> {
    const wallet = new Wallet(Wallet.createRandom().privateKey, chain.provider)
    await chain.provider.send('hardhat_setBalance', [wallet.address, '0x8ac7230489e80000'])
    return wallet
  }
  const inDatabase = (wallet: Wallet) => databaseOutbox({ database, chainId: chain.chainId, account: wallet.address })

  it('gives every caller a nonce of its own, in two replicas at once', async () => {
    const wallet = await fundedWallet()
    const replicas = await Promise.all([1, 2].map(() => createSender({ wallet, outbox: inDatabase(wallet), log })))
    const sends = Array.from({ length: 12 }, (_, index) => replicas[index % 2]?.send({ to, data: '0x', value: 1n }))
    const receipts = await Promise.all(sends.map(async (sent) => (await sent)?.wait()))
    expect(receipts.map((receipt) => receipt?.status)).to.deep.equal(Array(12).fill(1))
    expect(await wallet.getNonce()).to.equal(12)
    for (const replica of replicas) await replica.close()
  })

  it('works without a database', async () => {
    const wallet = await fundedWallet()
    const sender = await createSender({ wallet, outbox: memoryOutbox(), log })
    const sent = await Promise.all([1n, 2n, 3n].map((value) => sender.send({ to, data: '0x', value })))
    for (const each of sent) expect((await each.wait()).status).to.equal(1)
    await sender.close()
  })

  it('records a transaction before it is sent, and sends it after a restart', async () => {
    const wallet = await fundedWallet()
    const outbox = inDatabase(wallet)
    await database.query('create table attempt (hash text)')
    // Recorded, then killed: exactly what a crash between the two leaves behind.
    const raw = (await wallet.signTransaction({
      to,
      value: 5n,
      nonce: 0,
      gasLimit: 21_000n,
      maxFeePerGas: 10n ** 10n,
      maxPriorityFeePerGas: 1n,
      chainId: chain.chainId,
      type: 2,
    })) as Hex
    const hash = Transaction.from(raw).hash as Hex
    const id = '6f1c1c5e-54a5-4f5e-9d9b-0d9f3b1f6a11'
    await outbox.locked((session) =>
      session.add({ id, nonce: 0, hashes: [hash], raw, reference: 'order-1' }, async (transaction) => {
        await transaction?.query('insert into attempt values ($1)', [hash])
      }),
    )
    expect(await chain.provider.getTransactionReceipt(hash)).to.equal(null)

    const sender = await createSender({ wallet, outbox, log, interval: 20 })
    await (await sender.resume('order-1'))?.wait()
    expect((await chain.provider.getTransactionReceipt(hash))?.status).to.equal(1)
    expect(await database.query('select hash from attempt')).to.deep.equal([{ hash }])
    const next = await (await sender.send({ to, data: '0x', value: 1n })).wait()
    expect(next.status).to.equal(1)
    expect(await wallet.getNonce()).to.equal(2)
    await sender.close()
  })

  it('writes what belongs to the transaction if and only if it is recorded', async () => {
    const wallet = await fundedWallet()
    const sender = await createSender({ wallet, outbox: inDatabase(wallet), log })
    const refused = await sender
      .send({
        to,
        data: '0x',
        signed: async () => {
          throw new Error('changed my mind')
        },
      })
      .catch((error: Error) => error.message)
    expect(refused).to.equal('changed my mind')
    const rows = await database.query('select 1 from sent_transaction where account = $1', [wallet.address])
    expect(rows).to.have.length(0)
    await sender.close()
  })

  it('frees the nonce when the node refuses the transaction', async () => {
    const wallet = await fundedWallet()
    const sender = await createSender({ wallet, outbox: inDatabase(wallet), log })
    const refusal = await sender
      .send({ to, data: '0x', value: 10n ** 24n, gasLimit: 21_000n })
      .catch((error: Error) => error)
    expect(refusal).to.have.property('name', 'SendRefusedError')
    expect((await (await sender.send({ to, data: '0x', value: 1n })).wait()).status).to.equal(1)
    expect(await wallet.getNonce()).to.equal(1)
    await sender.close()
  })

  for (const kind of ['in a database', 'in memory']) {
    it(`fills the nonces that a reorganisation freed before what is under way, ${kind}`, async () => {
      const wallet = await fundedWallet()
      const outbox = kind === 'in memory' ? memoryOutbox() : inDatabase(wallet)
      await chain.provider.send('evm_setAutomine', [false])
      const fees = { type: 2, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n }
      const raw = (await wallet.signTransaction({
        ...{ to, value: 5n, nonce: 2, gasLimit: 21_000n, chainId: chain.chainId, ...fees },
      })) as Hex
      const hash = Transaction.from(raw).hash as Hex
      const entry = { id: randomUUID(), nonce: 2, hashes: [hash], raw, reference: 'later' }
      await outbox.locked((session) => session.add(entry, async () => {}))
      const sender = await createSender({ wallet, outbox, log, interval: 20, resendAfter: 50 })
      const later = await sender.resume('later')
      // What comes next takes the first of the two that are free; nothing comes for the second.
      const next = await sender.send({ to, data: '0x', value: 1n })
      while ((await chain.provider.getTransactionReceipt(hash)) === null) {
        await chain.provider.send('evm_mine', [])
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await chain.provider.send('evm_setAutomine', [true])
      expect((await next.wait()).status).to.equal(1)
      expect((await later?.wait())?.hash).to.equal(hash)
      expect(await wallet.getNonce()).to.equal(3)
      await sender.close()
    })
  }

  it('raises the fee of what is not mined', async () => {
    const wallet = await fundedWallet()
    await chain.provider.send('evm_setAutomine', [false])
    const sender = await createSender({
      wallet,
      outbox: inDatabase(wallet),
      log,
      interval: 20,
      resendAfter: 50,
      bumpAfter: 100,
    })
    const sent = await sender.send({ to, data: '0x', value: 1n })
    const hashes = async () => {
      const [row] = await database.query<{ hashes: Hex[] }>('select hashes from sent_transaction where id = $1', [
        sent.id,
      ])
      return row?.hashes ?? []
    }
    while ((await hashes()).length < 3) await new Promise((resolve) => setTimeout(resolve, 20))
    await chain.provider.send('evm_mine', [])
    const receipt = await sent.wait()
    expect(receipt.status).to.equal(1)
    expect((await hashes()).indexOf(receipt.hash as Hex)).to.be.greaterThan(0)
    await chain.provider.send('evm_setAutomine', [true])
    await sender.close()
  })
})
