import { expect } from 'chai'
import { ethers } from '../fixtures.ts'

/** Selectors of the functions that may change something, by the ABI. */
async function changing(name: 'IHub' | 'IHubNative') {
  const { interface: abi } = await ethers.getContractAt(name, ethers.ZeroAddress)
  const selectors: string[] = []
  abi.forEachFunction((entry) => {
    if (!['view', 'pure'].includes(entry.stateMutability)) selectors.push(entry.selector)
  })
  return selectors
}

describe('the handlers of the invariants', () => {
  for (const [name, list] of [
    ['IHub', 'ofHub'],
    ['IHubNative', 'ofHubNative'],
  ] as const) {
    it(`call every function of ${name} that may change something, and nothing else`, async () => {
      const called: string[] = await (await ethers.deployContract('FunctionLists')).getFunction(list)()
      expect(called.toSorted()).to.deep.equal((await changing(name)).toSorted())
    })
  }
})
