// Shows that a marketplace works: the deployer plays every role of one deal.
import { ZeroAddress, ZeroHash } from 'ethers'
import type { PlannedContract } from '../../deploy/predict.ts'
import { appOrder, domain, noDataset, requestOrder, signOrder, workerpoolOrder } from '../orders.ts'
import { type Connection, deployer } from './anvil.ts'

const PRICE = 1_000n

/** What matching four orders logged: the deal's id. */
export async function matchOnce(
  connection: Connection,
  contracts: Pick<PlannedContract, 'contract' | 'address'>[],
): Promise<string> {
  const { ethers } = connection
  const [signer] = await ethers.getSigners()
  const at = (name: string) => contracts.find(({ contract }) => contract === name)?.address
  const { chainId } = await ethers.provider.getNetwork()
  const token = at('LocalToken')
  const address = at('Hub') ?? at('HubNative') ?? ''
  const apps = await ethers.getContractAt('AppRegistry', at('AppRegistry') ?? '', signer)
  const pools = await ethers.getContractAt('WorkerpoolRegistry', at('WorkerpoolRegistry') ?? '', signer)
  const fields = [deployer.address, 'app', 'BUNDLE', '0x', ZeroHash, '0x'] as const
  await (await apps.createApp(...fields)).wait()
  await (await pools.createWorkerpool(deployer.address, 'pool')).wait()

  if (token === undefined) {
    const native = await ethers.getContractAt('IHubNative', address, signer)
    await (await native.deposit({ value: 10n * PRICE * 10n ** 9n })).wait()
  } else {
    const erc20 = await ethers.getContractAt('LocalToken', token, signer)
    await (await erc20.approveAndCall(address, 10n * PRICE, '0x')).wait()
  }

  const by = { signer: deployer, domain: domain({ chainId, hub: address }) }
  const app = await apps.predictApp(...fields)
  const workerpool = await pools.predictWorkerpool(deployer.address, 'pool')
  const requester = deployer.address
  const prices = { appmaxprice: 0n, workerpoolmaxprice: PRICE }
  const orders = [
    await signOrder('app', appOrder({ app }), by),
    noDataset,
    await signOrder('workerpool', workerpoolOrder({ workerpool, workerpoolprice: PRICE }), by),
    await signOrder('request', requestOrder({ app, dataset: ZeroAddress, requester, ...prices }), by),
  ] as const
  const hub = await ethers.getContractAt('IHub', address, signer)
  const dealId = await hub.matchOrders.staticCall(...orders)
  await (await hub.matchOrders(...orders)).wait()
  const { workerpool: matched } = await hub.viewDeal(dealId)
  if (matched.pointer !== workerpool) throw new Error('The deal is not the one that was matched.')
  return dealId
}
