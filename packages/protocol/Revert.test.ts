import { expect } from 'chai'
import { AbiCoder, concat, id, makeError } from 'ethers'
import { BaseError, Contracts, decodeRevert, Tag } from './index.ts'
import { knownErrors } from './Revert.ts'

const address = '0xB2157BF2fAb286b2A4170E3491Ac39770111Da3E'
const callException = (data: string) =>
  makeError('execution reverted', 'CALL_EXCEPTION', {
    action: 'call',
    data,
    reason: null,
    transaction: { to: address, data: '0x' },
    invocation: null,
    revert: null,
  })

describe('decodeRevert', () => {
  it('has a sentence for every error of our contracts, and names only their values', () => {
    const known = new Set(knownErrors())
    let seen = 0
    Contracts.everything.forEachError((fragment) => {
      seen++
      expect(known.has(fragment.name), fragment.name).to.equal(true)
      const dummy = fragment.inputs.map(({ type }) => {
        if (type === 'address') return address
        if (type === 'string') return 'text'
        if (type === 'bytes') return '0x'
        return type.startsWith('bytes') ? `0x${'01'.repeat(Number(type.slice(5)))}` : 1
      })
      const data = Contracts.everything.encodeErrorResult(fragment, dummy)
      expect(decodeRevert(callException(data))?.message).to.not.match(/undefined|\{/)
    })
    expect(seen).to.be.above(40)
  })

  it('tells what happened, with which values, and what to do', () => {
    const data = Contracts.everything.encodeErrorResult('Overpriced', [1, 5, 3])
    const error = decodeRevert(callException(data))
    expect(error).to.be.instanceOf(BaseError)
    expect(error?.errorName).to.equal('Overpriced')
    expect(error?.values).to.deep.equal({ kind: 'dataset', price: 5n, maxPrice: 3n })
    expect(error?.shortMessage).to.equal('The dataset costs 5 per task, the request pays at most 3.')
    expect(error?.message).to.contain('Raise the highest price')
  })

  it('writes tags and statuses as words', () => {
    const tags = Contracts.everything.encodeErrorResult('TagNotCovered', [Tag.tdx, Tag.none])
    expect(decodeRevert(callException(tags))?.shortMessage).to.equal(
      'The deal demands tee + tdx, the workerpool offers nothing.',
    )
    const status = Contracts.everything.encodeErrorResult('WrongStatus', [Tag.none, 3])
    expect(decodeRevert(callException(status))?.shortMessage).to.contain('is COMPLETED')
  })

  it('explains the call of a multicall that failed', () => {
    const reason = Contracts.everything.encodeErrorResult('UnknownCategory', [9])
    const data = Contracts.everything.encodeErrorResult('CallFailed', [2, reason])
    expect(decodeRevert(callException(data))?.shortMessage).to.match(/^Call 2 of the multicall failed.*category 9/i)
    const silent = Contracts.everything.encodeErrorResult('CallFailed', [0, '0x'])
    expect(decodeRevert(callException(silent))?.shortMessage).to.contain('It gave no reason.')
    const unknown = Contracts.everything.encodeErrorResult('CallFailed', [0, '0x12345678'])
    expect(decodeRevert(callException(unknown))?.shortMessage).to.contain('It answered 0x12345678.')
  })

  it('finds revert data that a library has buried', () => {
    const data = Contracts.everything.encodeErrorResult('UnknownCategory', [9])
    for (const error of [
      { data },
      { error: { data } },
      { info: { error: { code: 3, data } } },
      { data: { data } },
      { cause: { data } },
    ]) {
      expect(decodeRevert(error)?.errorName).to.equal('UnknownCategory')
    }
  })

  it('reads reason strings and panics', () => {
    const coder = AbiCoder.defaultAbiCoder()
    const reason = concat([id('Error(string)').slice(0, 10), coder.encode(['string'], ['because'])])
    expect(decodeRevert({ data: reason })?.shortMessage).to.equal('The contract refused: because.')
    const panic = concat([id('Panic(uint256)').slice(0, 10), coder.encode(['uint256'], [17])])
    expect(decodeRevert({ data: panic })?.shortMessage).to.contain('17')
  })

  it('leaves other errors alone', () => {
    for (const error of [new Error('network'), undefined, 'text', { data: '0x' }, { data: '0x12345678' }]) {
      expect(decodeRevert(error)).to.equal(undefined)
    }
  })
})
