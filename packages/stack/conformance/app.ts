import { expect } from 'chai'
import { refusal } from '../testing/scene.ts'
import { nobody, type Person, somebody } from './client.ts'

const checksum = `0x${'c5'.repeat(32)}`

export const appTests = () =>
  describe('app', () => {
    let developer: Person
    let fields: { owner: string; name: string; type: string; multiaddr: string; checksum: string }
    let app: string
    before(async () => {
      developer = await somebody()
      fields = { owner: developer.address, name: 'training', type: 'DOCKER', multiaddr: 'example/training:1', checksum }
    })

    it('is deployed at the address that was predicted, once', async () => {
      const { iexec } = developer
      const predicted = await iexec.app.predictAppAddress(fields)
      expect(await iexec.app.checkDeployedApp(predicted)).to.equal(false)
      const { address, txHash } = await iexec.app.deployApp(fields)
      app = address
      expect(txHash).to.match(/^0x[0-9a-f]{64}$/)
      expect(app).to.equal(predicted)
      expect(await iexec.app.checkDeployedApp(app)).to.equal(true)
      expect((await refusal(iexec.app.deployApp(fields))).message).to.match(/already deployed/)
    })
    it('is shown by its address, and by its number among those of its owner', async () => {
      const { iexec, address } = developer
      const shown = await iexec.app.showApp(app)
      expect(shown.objAddress).to.equal(app)
      expect(shown.app).to.deep.include({
        owner: address,
        appName: 'training',
        appType: 'DOCKER',
        appMultiaddr: 'example/training:1',
        appChecksum: checksum,
      })
      expect(shown.app.registry).to.equal(await developer.client.contracts.appRegistry.getAddress())
      expect(String(await iexec.app.countUserApps(address))).to.equal('1')
      expect(await iexec.app.showUserApp(0, address)).to.deep.equal(shown)
    })
    it('is not found where there is none', async () => {
      const { iexec, address } = developer
      expect((await refusal(iexec.app.showApp(nobody()))).message).to.match(/No app found/)
      expect((await refusal(iexec.app.showUserApp(1, address))).message).to.match(/app not deployed/)
    })
    it('keeps a secret of its owner, written once', async () => {
      const { iexec } = developer
      expect(await iexec.app.checkAppSecretExists(app)).to.equal(false)
      const stranger = await somebody()
      expect((await refusal(stranger.iexec.app.pushAppSecret(app, 'theirs'))).message).to.match(
        /is not allowed to set secret/,
      )
      expect(await iexec.app.pushAppSecret(app, 'mine')).to.equal(true)
      expect(await iexec.app.checkAppSecretExists(app)).to.equal(true)
      expect((await refusal(iexec.app.pushAppSecret(app, 'another'))).message).to.match(/Secret already exists/)
    })
    it('goes to another owner, by its owner alone', async () => {
      const { iexec } = developer
      const heir = await somebody()
      expect((await refusal(heir.iexec.app.transferApp(app, heir.address))).message).to.match(/owner/)
      const { address, to } = await iexec.app.transferApp(app, heir.address)
      expect([address, to]).to.deep.equal([app, heir.address])
      expect((await iexec.app.showApp(app)).app.owner).to.equal(heir.address)
    })
  })
