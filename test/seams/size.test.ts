import { expect } from 'chai'
import { deployables } from './artifacts.ts'

/** What a chain accepts: EIP-170 for the code of a contract, EIP-3860 for the code that makes it. */
const RUNTIME_LIMIT = 24_576
const CREATION_LIMIT = 49_152

/** Room that every contract keeps for the next correction. */
const HEADROOM = 500

describe('size', () => {
  it('leaves every contract a headroom of 500 bytes', async () => {
    const contracts = await deployables()
    expect(contracts).to.not.be.empty
    for (const { name, runtimeBytes, creationBytes } of contracts) {
      expect(runtimeBytes, `code of ${name}`).to.be.at.most(RUNTIME_LIMIT - HEADROOM)
      expect(creationBytes, `creation code of ${name}`).to.be.at.most(CREATION_LIMIT - HEADROOM)
    }
  })
})
