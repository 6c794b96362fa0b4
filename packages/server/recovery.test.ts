import { Bytes, type Hex } from '@sealdeal/protocol'
import { expect } from 'chai'
import { recoverAddress, Signature, SigningKey } from 'ethers'
import fc from 'fast-check'
import { recoverSigner } from './recovery.ts'

/** n of secp256k1 (SEC 2, 2.4.1): r and s are below it. */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

describe('recovery of signers', () => {
  const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(Bytes.toHex)
  /** Words at the edges of what is allowed, and any other. */
  const number = fc.oneof(
    fc.constantFrom(0n, 1n, order / 2n, order / 2n + 1n, order - 1n, order, 2n ** 256n - 1n).map(toWord),
    word,
  )

  it('finds who signed', () => {
    const key = word.filter((text) => BigInt(text) > 0n && BigInt(text) < order).map((text) => new SigningKey(text))
    const property = fc.property(key, word, fc.boolean(), (signer, digest, isShort) => {
      const { serialized, compactSerialized } = signer.sign(digest)
      const signature = (isShort ? compactSerialized : serialized) as Hex
      expect(recoverSigner(digest, signature)).to.equal(recoverAddress(digest, signature))
    })
    fc.assert(property, { numRuns: 50 })
  })
  it('finds in any bytes who ethers finds, and nobody where it finds nobody', () => {
    let nobody = 0
    const ending = fc.constantFrom('0x1b', '0x1c', '0x00', '0x01', '0x1d', '0x', '0x1b1b')
    const property = fc.property(word, number, number, ending, (digest, r, s, end) => {
      const signature = `${r}${s.slice(2)}${end.slice(2)}` as Hex
      const found = recoverSigner(digest, signature)
      if (found === undefined) nobody++
      expect(found).to.equal(recoveredByEthers(digest, signature))
    })
    fc.assert(property, { numRuns: 400 })
    expect(nobody).to.be.within(1, 399)
  })
})

function recoveredByEthers(digest: Hex, signature: Hex): string | undefined {
  try {
    return recoverAddress(digest, Signature.from(signature))
  } catch {
    return undefined
  }
}

function toWord(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}
