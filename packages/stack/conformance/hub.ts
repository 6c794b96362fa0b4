import { expect } from 'chai'
import { refusal } from '../testing/scene.ts'
import { onlooker, person, somebody } from './client.ts'

export const hubTests = () =>
  describe('hub', () => {
    it('shows the categories and how long a task may take of them', async () => {
      const { hub } = await onlooker()
      expect(Number(await hub.countCategory())).to.be.at.least(5)
      const { name, workClockTimeRef } = await hub.showCategory(0)
      expect([name, String(workClockTimeRef)]).to.deep.equal(['XS', '300'])
      expect(String(await hub.getTimeoutRatio())).to.equal('10')
      expect((await refusal(hub.showCategory(1_000))).message).to.match(/execution reverted/)
    })
    it('takes a new category from its owner alone', async () => {
      const category = { name: 'quick', description: 'a test of the published client', workClockTimeRef: 7 }
      const stranger = await somebody()
      expect((await refusal(stranger.iexec.hub.createCategory(category))).message).to.match(/owner/)
      const { hub } = (await person('operator')).iexec
      const { catid } = await hub.createCategory(category)
      const { workClockTimeRef, ...texts } = await hub.showCategory(catid)
      expect({ ...texts, workClockTimeRef: Number(workClockTimeRef) }).to.deep.include(category)
    })
  })
