import { expect } from 'chai'
import { AbiCoder, concat, getBytes, keccak256, toBeHex, toUtf8Bytes, Wallet, zeroPadValue } from 'ethers'
import { type Address, Deal, Failure, type Hex, Lease, Tag, Task } from './index.ts'

const dealId: Hex = `0x${'d1'.repeat(32)}`
const worker: Address = '0xB2157BF2fAb286b2A4170E3491Ac39770111Da3E'
const enclave: Address = '0x098bFCb1E50ebcA0BaA92C12eA0c3F045A1aD9f0'
const digest: Hex = `0x${'e2'.repeat(32)}`

describe('Deal', () => {
  it('is known by its request order and what was consumed of it', () => {
    expect(Deal.id(digest, 3n)).to.equal(
      keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'uint256'], [digest, 3])),
    )
  })

  it('numbers its tasks from its first index', () => {
    expect(Deal.tasks(dealId, { botFirst: 5n, botSize: 2n })).to.deep.equal([
      { index: 5n, taskId: Task.id(dealId, 5n) },
      { index: 6n, taskId: Task.id(dealId, 6n) },
    ])
  })

  it('ends 7 and 10 clocks after it began', () => {
    expect(Deal.deadlines({ startTime: 1000n }, 300n)).to.deep.equal({ contribution: 3100n, final: 4000n })
  })
})

describe('Task', () => {
  const taskId = Task.id(dealId, 1n)

  it('packs its hashes as the contracts do', () => {
    expect(taskId).to.equal(keccak256(concat([dealId, toBeHex(1, 32)])))
    expect(Task.resultHash(taskId, digest)).to.equal(keccak256(concat([taskId, digest])))
    expect(Task.resultSeal(worker, taskId, digest)).to.equal(keccak256(concat([worker, taskId, digest])))
    expect(Task.authorizationHash(worker, taskId, enclave)).to.equal(keccak256(concat([worker, taskId, enclave])))
    const both = concat([Task.resultHash(taskId, digest), Task.resultSeal(worker, taskId, digest)])
    expect(Task.enclaveHash(worker, taskId, digest)).to.equal(keccak256(both))
    const type = keccak256(toUtf8Bytes('TaskResult(bytes32 taskid,address worker,bytes32 resultDigest)'))
    const result = concat([type, taskId, zeroPadValue(worker, 32), digest])
    expect(Task.settlementHash(worker, taskId, digest)).to.equal(keccak256(result))
    const failed = keccak256(toUtf8Bytes('TaskFailure(bytes32 taskid,address worker,uint256 cause)'))
    const failure = concat([failed, taskId, zeroPadValue(worker, 32), toBeHex(21, 32)])
    expect(Failure.hash(worker, taskId, 'APP_COMPUTE_FAILED')).to.equal(keccak256(failure))
    expect(getBytes(taskId)).to.have.length(32)
  })

  it('names the causes of failures by their number, and has one number for each', () => {
    const numbers = Object.values(Failure.codes)
    expect(new Set(numbers).size).to.equal(numbers.length)
    expect(Failure.nameOf(21n)).to.equal('APP_COMPUTE_FAILED')
    expect(Failure.nameOf(10_000n)).to.equal('CAUSE_10000')
    expect(['APP_COMPUTE_FAILED', 'TEE_LAUNCH_FAILED', 'toString'].map(Failure.isFinal)).to.deep.equal([
      true,
      false,
      false,
    ])
  })

  it('names the statuses of the Hub and no others', () => {
    expect([0n, 1n, 2n, 3n, 4n].map(Task.status)).to.deep.equal(['UNSET', 'ACTIVE', 'REVEALING', 'COMPLETED', 'FAILED'])
    expect(() => Task.status(5n)).to.throw('task.status')
  })
})

describe('Tag', () => {
  it('of an ordinary order is 0x9', () => {
    expect(BigInt(Tag.tdx)).to.equal(9n)
    expect(Tag.decode(Tag.tdx)).to.deep.equal(['tee', 'tdx'])
    expect(Tag.decode(Tag.encode(['tee', 'gpu']))).to.deep.equal(['tee', 'gpu'])
    expect(Tag.decode(`0x${'00'.repeat(31)}20` as Hex)).to.deep.equal(['bit5'])
  })

  it('of a deal joins what is asked for, but never a dataset’s kind of enclave', () => {
    const dataset = Tag.encode(['tee', 'scone', 'gpu'])
    expect(Tag.ofDeal({ app: Tag.none, dataset, request: Tag.none })).to.equal(Tag.encode(['tee', 'gpu']))
    expect(Tag.ofDeal({ app: Tag.tdx, request: Tag.encode(['gpu']) })).to.equal(Tag.encode(['tee', 'tdx', 'gpu']))
  })

  it('covers a demand when it has each of its bits', () => {
    expect(Tag.covers(Tag.tdx, Tag.encode(['tee']))).to.equal(true)
    expect(Tag.covers(Tag.encode(['tee']), Tag.tdx)).to.equal(false)
    expect([Tag.isTee(Tag.tdx), Tag.isTee(Tag.encode(['tdx']))]).to.deep.equal([true, false])
  })
})

describe('Lease', () => {
  const domain = Lease.domain({ chainId: 31337, hub: enclave })
  const lease = { task: dealId, worker, attempt: 2n, expiry: 1_800_000_000n }

  it('is recovered to the pool owner, and to another after any change', async () => {
    const owner = Wallet.createRandom()
    const signature = await Lease.sign(lease, owner, domain)
    expect(Lease.recover(lease, signature, domain)).to.equal(owner.address)
    for (const change of [{ attempt: 3n }, { expiry: 1n }, { worker: enclave }, { task: digest }]) {
      expect(Lease.recover({ ...lease, ...change }, signature, domain)).to.not.equal(owner.address)
    }
    expect(Lease.recover(lease, signature, Lease.domain({ chainId: 1, hub: enclave }))).to.not.equal(owner.address)
    expect(Lease.hash(lease, domain)).to.have.length(66)
  })
})
