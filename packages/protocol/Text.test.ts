import { expect } from 'chai'
import { AbiCoder, concat, id, toBeHex, toUtf8Bytes } from 'ethers'
import { tolerant } from './Text.ts'

const abi = [
  'event Said(uint256 indexed number, string text)',
  'function look() view returns (tuple(string text, uint256 number, string[] more, bytes raw) all, string last)',
]

describe('a text that a contract holds', () => {
  const wire = 'tuple(bytes text, uint256 number, bytes[] more, bytes raw) all'
  const answer = (text: Uint8Array) =>
    AbiCoder.defaultAbiCoder().encode([wire, 'bytes'], [{ text, number: 7n, more: [text, text], raw: text }, text])

  it('is read as it was written', () => {
    const text = '\ufeffGrüße\0😀\ufffd'
    const { all, last } = tolerant(abi).decodeFunctionResult('look', answer(toUtf8Bytes(text)))
    expect([all.text, all.number, ...all.more, last]).to.deep.equal([text, 7n, text, text, text])
  })

  it('is read from an event as from an answer', () => {
    const data = AbiCoder.defaultAbiCoder().encode(['bytes'], ['0x61ff'])
    const topics = [id('Said(uint256,string)'), toBeHex(7, 32)]
    expect(tolerant(abi).parseLog({ topics, data })?.args.toObject()).to.deep.equal({ number: 7n, text: 'a\ufffd' })
  })

  it('is read with a mark where it is no UTF-8, and everything beside it as it is', () => {
    const broken = Buffer.from([0x61, 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0x62])
    const { all, last } = tolerant(abi).decodeFunctionResult('look', answer(broken))
    const read = 'a\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdb'
    expect([all.text, all.number, ...all.more, last]).to.deep.equal([read, 7n, read, read, read])
    expect(all.raw).to.equal(concat([broken]))
  })
})
