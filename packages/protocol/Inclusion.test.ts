import { connectChain } from '@sealdeal/server'
import { expect } from 'chai'
import { type JsonRpcProvider, Wallet } from 'ethers'
import { skipWithoutAnvil, startAnvil } from '../../test/deploy/anvil.ts'
import { type Hex, Inclusion } from './index.ts'

/** More than 127: from there on places in the trie are spelled otherwise. */
const TRANSACTIONS = 140

describe('what a header proves', function () {
  this.timeout(60_000)
  let provider: JsonRpcProvider
  let stop: () => Promise<unknown>
  let block: Inclusion.RpcBlock & { transactions: Hex[] }
  let receipts: Inclusion.RpcReceipt[]
  before(async function () {
    skipWithoutAnvil(this)
    const anvil = await startAnvil()
    stop = () => anvil.stop()
    provider = (await connectChain({ url: anvil.url })).provider
    const [from] = await provider.send('eth_accounts', [])
    // Emits LOG1 of the word that it is called with, and of its topic.
    const { hash } = await (await provider.getSigner(0)).sendTransaction({
      data: '0x6009600c60003960096000f360003560206000a100',
    })
    await provider.waitForTransaction(hash)
    const deployed = await provider.getTransactionReceipt(hash)
    await provider.send('evm_setAutomine', [false])
    for (let index = 0; index < TRANSACTIONS; index++) {
      // Legacy, with an access list, with a fee cap: each kind of envelope.
      const kind = [
        { gasPrice: '0x2540be400' },
        { gasPrice: '0x2540be400', accessList: [] },
        { maxFeePerGas: '0x2540be400', maxPriorityFeePerGas: '0x2540be400' },
      ][index % 3]
      const data = `0x${index.toString(16).padStart(64, '0')}`
      const gas = '0x186a0'
      const nonce = `0x${(index + 1).toString(16)}`
      await provider.send('eth_sendTransaction', [
        { from, to: deployed?.contractAddress ?? Wallet.createRandom().address, data, gas, nonce, ...kind },
      ])
    }
    await provider.send('evm_mine', [])
    block = await provider.send('eth_getBlockByNumber', ['latest', false])
    receipts = await provider.send('eth_getBlockReceipts', ['latest'])
  })
  after(() => stop?.())

  it('is its own hash, from the first block on', async () => {
    for (const tag of ['0x0', '0x1', 'latest']) {
      const one = await provider.send('eth_getBlockByNumber', [tag, false])
      const header = Inclusion.decodeHeader(Inclusion.encodeHeader(one))
      expect(header).to.deep.equal({
        hash: one.hash,
        receiptsRoot: one.receiptsRoot,
        number: BigInt(one.number),
        timestamp: BigInt(one.timestamp),
      })
    }
    expect(() => Inclusion.encodeHeader({ ...block, gasUsed: '0x1' })).to.throw(Inclusion.ProofUnavailableError)
  })

  it('is every receipt of the block, and the events in it', async () => {
    expect(block.transactions).to.have.length(TRANSACTIONS)
    expect(new Set(receipts.map(({ type }) => type)).size).to.equal(3)
    const { receiptsRoot } = Inclusion.decodeHeader(Inclusion.encodeHeader(block))
    for (const [index, receipt] of receipts.entries()) {
      if (index > 2 && index % 32 !== 0 && index !== 127 && index !== TRANSACTIONS - 1) continue
      const proof = await Inclusion.proveReceipt({ block, receipts, index })
      const logs = await Inclusion.provenLogs({ receiptsRoot, index, proof })
      expect(logs.map(({ topics, data }) => ({ topics, data }))).to.deep.equal(
        receipt.logs.map(({ topics, data }) => ({ topics, data })),
      )
      expect(logs).to.have.length(1)
    }
  })

  it('is no other receipt, and none with a byte changed', async () => {
    const { receiptsRoot } = Inclusion.decodeHeader(Inclusion.encodeHeader(block))
    const index = 129
    const proof = await Inclusion.proveReceipt({ block, receipts, index })
    const failure = (given: Partial<Parameters<typeof Inclusion.provenLogs>[0]>) =>
      Inclusion.provenLogs({ receiptsRoot, index, proof, ...given }).then(
        () => undefined,
        (error: unknown) => error,
      )
    expect(await failure({ index: 130 })).to.be.instanceOf(Error)
    expect(await failure({ index: 5_000 })).to.be.instanceOf(Error)
    expect(await failure({ proof: proof.slice(0, -1) })).to.be.instanceOf(Error)
    for (const [position, node] of proof.entries()) {
      for (let at = 2; at < node.length; at += 37) {
        const changed = `${node.slice(0, at)}${node[at] === '1' ? '2' : '1'}${node.slice(at + 1)}` as Hex
        const nodes = proof.with(position, changed)
        expect(await failure({ proof: nodes }), `node ${position}, digit ${at}`).to.be.instanceOf(Error)
      }
    }
  })

  it('is nothing where receipts are not as Ethereum has them', async () => {
    const foreign = receipts.with(3, { ...(receipts[3] as Inclusion.RpcReceipt), status: '0x0' })
    const error = await Inclusion.proveReceipt({ block, receipts: foreign, index: 0 }).catch(
      (reason: unknown) => reason,
    )
    expect(error).to.be.instanceOf(Inclusion.ProofUnavailableError)
  })
})
