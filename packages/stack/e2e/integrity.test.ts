import { createHash } from 'node:crypto'
import { Locator } from '@sealdeal/protocol'
import { type Client, grantAccess, type ProtectDataReturnType, protectData, run, waitForTask } from '@sealdeal/sdk'
import { expect } from 'chai'
import type { Stack } from '../stack.ts'
import { flipStoredBit, untilGivenUp } from '../testing/attacks.ts'
import { escrow, finished, limits, newcomer, offerApp, prices, refusal, resultKey, textOf } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

describe('C06 check integrity by the checksum on chain', () => {
  let stack: Stack
  let user: Client
  let records: ProtectDataReturnType
  let request: Parameters<typeof run>[1]
  const cost = prices.app + prices.data + prices.pool

  before(async () => {
    stack = await sharedStack()
    const [company, hospital] = [await newcomer(stack), await newcomer(stack)]
    user = await newcomer(stack, { staked: 2n * cost })
    records = await protectData(hospital, { name: 'C06', data: { records: 'one\ntwo\nthree\n'.repeat(50) } })
    const { app } = await offerApp(company)
    await grantAccess(hospital, {
      protectedData: records.address,
      authorizedApp: app,
      authorizedUser: user.account,
      pricePerAccess: prices.data,
      numberOfAccess: 2n,
    })
    request = { app, dataset: records.address, ...limits, resultKey: await resultKey() }
  })

  /** The stored bytes, found as anybody finds them: by what the chain says. */
  async function stored(): Promise<{ checksum: string; bytes: Uint8Array }> {
    const { m_datasetChecksum: checksum, m_datasetMultiaddr } = await user.contracts.hub.viewDataset(records.address)
    const url = Locator.toUrl(m_datasetMultiaddr as `0x${string}`, { gateway: stack.endpoints.storage })
    return { checksum, bytes: new Uint8Array(await (await fetch(url)).arrayBuffer()) }
  }
  const sha256 = (bytes: Uint8Array) => `0x${createHash('sha256').update(bytes).digest('hex')}`

  it('is the sha256 of the stored bytes', async () => {
    const { checksum, bytes } = await stored()
    expect(bytes.length).to.equal(records.size)
    expect(sha256(bytes)).to.equal(checksum)
    expect(records.checksum).to.equal(checksum)
  })

  it('makes a run on changed bytes fail by name, with nobody paid; on the bytes restored it completes', async () => {
    const { bytes } = await stored()
    let failed: Awaited<ReturnType<typeof run>>
    await flipStoredBit(stack, bytes)
    try {
      const changed = await stored()
      expect(changed.bytes.length).to.equal(bytes.length)
      expect(changed.bytes.filter((byte, index) => byte !== bytes[index]).length).to.equal(1)
      expect(sha256(changed.bytes)).to.not.equal(changed.checksum)

      failed = await run(user, request)
      const verdict = await untilGivenUp(stack, failed.taskId)
      expect(verdict.cause).to.equal('PRE_COMPUTE_INVALID_DATASET_CHECKSUM')
      expect(verdict.message).to.contain(sha256(changed.bytes)).and.contain(changed.checksum)
      expect(verdict.remedy).to.contain('protect it again')
      // The enclave signs this cause, so the money is back long before the deadline.
      const error = await refusal(waitForTask(user, { taskId: failed.taskId }))
      expect(error).to.include({ name: 'TaskFailedError', failure: verdict.cause })
      expect(await escrow(user, user.account)).to.include({ free: 2n * cost, locked: 0n })
      expect(await escrow(user, records.owner)).to.include({ free: 0n, locked: 0n })
    } finally {
      await flipStoredBit(stack, bytes)
    }
    expect(sha256((await stored()).bytes)).to.equal(records.checksum)

    const made = await run(user, request)
    const { files, verified } = await finished(user, made)
    expect(verified).to.equal(true)
    expect(textOf(files, 'result.txt')).to.contain('The dataset has ')
    expect(await escrow(user, user.account)).to.include({ free: cost, locked: 0n })
    expect(await escrow(user, records.owner)).to.include({ free: prices.data, locked: 0n })
  })
})
