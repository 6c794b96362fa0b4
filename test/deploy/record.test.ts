import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { indexOf, type NetworkRecord, readRecord, writeRecord } from '../../deploy/record.ts'
import { root } from '../../scripts/run.ts'

const record: NetworkRecord = {
  chainId: 421_614,
  network: 'arbitrumSepolia',
  escrow: 'token',
  block: 7,
  compiler: { version: '0.8.37', settings: {} },
  parameters: { escrow: 'token', timelock: { delay: 1, proposers: [], executors: [] }, salt: '0x' },
  contracts: { hub: { contract: 'Hub', address: '0x61939CB0aD51B187a3418F51690c99343B6B8110', abi: 'IHub' } },
  abis: { IHub: [{ type: 'receive' }, { type: 'fallback' }] },
}

describe('records of deployments', () => {
  it('are in the index that TypeScript imports, and nothing else is', async () => {
    const folder = join(root, 'deployments')
    expect(await readFile(join(folder, 'index.ts'), 'utf8')).to.equal(await indexOf(folder))
  })

  it('are read as they were written, and listed by chain', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealdeal-deployments-'))
    try {
      await writeRecord(record, folder)
      await writeRecord({ ...record, chainId: 97, network: 'other' }, folder)
      expect(await readRecord({ directory: folder, chainId: 421_614n })).to.deep.equal(record)
      const index = await readFile(join(folder, 'index.ts'), 'utf8')
      expect(index.match(/chainId: (\d+)n/g)).to.deep.equal(['chainId: 97n', 'chainId: 421614n'])
      expect(index).to.include(`hub: '${record.contracts.hub?.address}'`)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
