import { Secret } from '@sealdeal/protocol'
import { expect } from 'chai'
import { connect, onlooker } from './client.ts'
import { conformanceStack } from './stack.ts'

export const networkTests = () =>
  describe('network', () => {
    it('is the one of the stack', async () => {
      const { chainId } = await conformanceStack()
      expect((await (await onlooker()).network.getNetwork()).chainId).to.equal(String(chainId))
    })
    it('may be reached through the wallet of a browser, which signs in its own way', async () => {
      const stack = await conformanceStack()
      const request = ({ method, params = [] }: { method: string; params?: unknown[] | Record<string, unknown> }) =>
        stack.provider.send(method, params)
      const iexec = await connect({ request })
      // The node's accounts stand for those of the wallet: the first one is the operator's.
      const address = await iexec.wallet.getAddress()
      expect(address).to.equal(stack.wallets.operator.address)
      const name = `browser-${Date.now()}`
      expect(name).to.match(Secret.requesterName)
      expect(await iexec.secrets.pushRequesterSecret(name, 'secret')).to.deep.equal({ isPushed: true })
      const { order } = iexec
      const pool = await iexec.workerpool.deployWorkerpool({ owner: address, description: name })
      const signed = await order.signWorkerpoolorder(
        await order.createWorkerpoolorder({ workerpool: pool.address, category: 0 }),
      )
      const orderHash = await order.publishWorkerpoolorder(signed)
      expect(await order.unpublishWorkerpoolorder(orderHash)).to.equal(orderHash)
    })
  })
