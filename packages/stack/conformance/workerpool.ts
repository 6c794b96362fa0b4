import { expect } from 'chai'
import { refusal } from '../testing/scene.ts'
import { nobody, onlooker, type Person, somebody } from './client.ts'
import { conformanceStack } from './stack.ts'

export const workerpoolTests = () =>
  describe('workerpool', () => {
    let owner: Person
    let workerpool: string
    before(async () => {
      owner = await somebody()
    })

    it('is deployed at the address that was predicted, once', async () => {
      const module = owner.iexec.workerpool
      const fields = { owner: owner.address, description: 'a pool' }
      const predicted = await module.predictWorkerpoolAddress(fields)
      expect(await module.checkDeployedWorkerpool(predicted)).to.equal(false)
      workerpool = (await module.deployWorkerpool(fields)).address
      expect(workerpool).to.equal(predicted)
      expect(await module.checkDeployedWorkerpool(workerpool)).to.equal(true)
      expect((await refusal(module.deployWorkerpool(fields))).message).to.match(/already deployed/)
    })
    it('is shown by its address, and by its number among those of its owner', async () => {
      const module = owner.iexec.workerpool
      const shown = await module.showWorkerpool(workerpool)
      const { workerStakeRatioPolicy, schedulerRewardRatioPolicy, ...texts } = shown.workerpool
      expect(texts).to.deep.include({ owner: owner.address, workerpoolDescription: 'a pool' })
      expect([workerStakeRatioPolicy, schedulerRewardRatioPolicy].map(String)).to.deep.equal(['30', '1'])
      expect(String(await module.countUserWorkerpools(owner.address))).to.equal('1')
      expect(await module.showUserWorkerpool(0, owner.address)).to.deep.equal(shown)
      expect((await refusal(module.showWorkerpool(nobody()))).message).to.match(/No workerpool found/)
    })
    it('tells where its API is, if its owner said so', async () => {
      const { deployment, endpoints } = await conformanceStack()
      const { workerpool: module } = await onlooker()
      expect(await module.getWorkerpoolApiUrl(deployment.workerpool)).to.equal(endpoints.scheduler)
      expect(await module.getWorkerpoolApiUrl(workerpool)).to.equal(undefined)
    })
    it('goes to another owner', async () => {
      const heir = nobody()
      await owner.iexec.workerpool.transferWorkerpool(workerpool, heir)
      expect((await owner.iexec.workerpool.showWorkerpool(workerpool)).workerpool.owner).to.equal(heir)
    })
  })
