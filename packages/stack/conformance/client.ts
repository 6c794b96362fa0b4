// The published client, unmodified, pointed at the running stack; and a note of which of its methods were seen to work.
import { type Client, send } from '@sealdeal/sdk'
import { type AbstractSigner, Wallet } from 'ethers'
import { IExec, utils as publishedUtils } from 'iexec'
import type { Eip1193Provider } from 'iexec/IExecConfig'
import type { Role } from '../accounts.ts'
import type { Stack } from '../stack.ts'
import { newcomer } from '../testing/scene.ts'
import { actAs } from '../testing/shared.ts'
import { conformanceStack } from './stack.ts'

/** Somebody with a wallet, through the published client (`iexec`) and through ours. */
export type Person = { iexec: IExec; client: Client; address: string }

/** The modules of the published client, in the order in which they are looked at. */
export const moduleNames = [
  'account',
  'app',
  'dataset',
  'deal',
  'hub',
  'network',
  'order',
  'orderbook',
  'result',
  'secrets',
  'storage',
  'task',
  'wallet',
  'workerpool',
] as const
export type ModuleName = (typeof moduleNames)[number]

/** `module.method` of every call that was answered without an error. */
export const worked = new Set<string>()

/** The second argument of `new IExec(...)`: docs/compatibility.md shows it. */
export function options({ endpoints, deployment }: Stack) {
  return {
    hubAddress: deployment.hub,
    iexecGatewayURL: endpoints.market,
    compassURL: endpoints.market,
    smsURL: endpoints.sms,
    ipfsNodeURL: endpoints.storage,
    ipfsGatewayURL: endpoints.storage,
    pocoSubgraphURL: `${endpoints.indexer}/protocol`,
  }
}

let looking: Promise<IExec> | undefined

/** A client of the shared stack that has no wallet: it can only look. */
export function onlooker(): Promise<IExec> {
  looking ??= conformanceStack().then(({ endpoints }) => connect(endpoints.chain))
  return looking
}

/** A client of the shared stack for a wallet, a browser's wallet or the URL of a chain. */
export async function connect(ethProvider: AbstractSigner | Eip1193Provider | string): Promise<IExec> {
  const iexec = new IExec({ ethProvider }, options(await conformanceStack()))
  for (const name of moduleNames) noteCalls(name, iexec[name])
  return iexec
}

/** The functions beside the modules. */
export const utils: typeof publishedUtils = { ...publishedUtils }
noteCalls('utils', utils)

/** Lets each function of an object leave a note when it has done its work. */
export function noteCalls(name: string, functions: object): void {
  const own = functions as Record<string, unknown>
  for (const [method, original] of Object.entries(own)) {
    if (typeof original !== 'function' || /^[A-Z]/.test(method)) continue
    own[method] = (...given: unknown[]) => {
      const answer: unknown = original.apply(functions, given)
      Promise.resolve(answer).then(
        () => worked.add(`${name}.${method}`),
        () => {},
      )
      return answer
    }
  }
}

/** Somebody new, with `staked` in the escrow and `tokens` in the wallet. */
export async function somebody({
  staked = 0n,
  tokens = 0n,
}: {
  staked?: bigint
  tokens?: bigint
} = {}): Promise<Person> {
  const stack = await conformanceStack()
  const client = await newcomer(stack, { staked })
  if (tokens > 0n) {
    const operator = await actAs(stack, 'operator')
    await send(operator, operator.contracts.token.transfer(client.account, tokens))
  }
  return { client, iexec: await connect(client.signer as Wallet), address: client.account }
}

/** One of the stack's people. */
export async function person(role: Role): Promise<Person> {
  const stack = await conformanceStack()
  const client = await actAs(stack, role)
  return { client, iexec: await connect(stack.wallets[role]), address: client.account }
}

/** An address that nobody has used. */
export const nobody = () => Wallet.createRandom().address
