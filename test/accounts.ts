// Accounts that are more than a key: contracts that sign by ERC-1271, and keys that were given code by real EIP-7702
// transactions. Whatever it is made of, an account signs, acts and owns.
import type { BaseContract, HDNodeWallet } from 'ethers'
import { ethers, type MessageSigner, type Signer, setBalance } from './fixtures.ts'

/** The ways in which `Troublemaker` answers. */
export const TROUBLE = {
  reverts: 0,
  revertsWithABomb: 1,
  returnsABomb: 2,
  burnsGas: 3,
  returnsNothing: 4,
  returnsZero: 5,
  returnsAllOnes: 6,
  returnsOneByte: 7,
} as const

export type Party = {
  address: string
  /** Signs what the account approves of. */
  signer: Signer & MessageSigner & { address: string }
  /** Makes the account call a contract. */
  send(contract: BaseContract, call: string, args: readonly unknown[]): Promise<unknown>
}

/** A key of its own, with something to pay gas with. */
export async function newKey(): Promise<HDNodeWallet> {
  const key = ethers.Wallet.createRandom().connect(ethers.provider)
  await setBalance(key.address, 10n ** 20n)
  return key
}

/** Gives the account of a key the code of `target`, or takes it away (the zero address). Somebody else pays. */
export async function delegate(key: HDNodeWallet, target: string): Promise<void> {
  const payer = await newKey()
  const nonce = await ethers.provider.getTransactionCount(key)
  const { chainId } = await ethers.provider.getNetwork()
  const authorization = await key.authorize({ address: target, nonce, chainId })
  const sent = await payer.sendTransaction({ type: 4, to: payer.address, authorizationList: [authorization] })
  await sent.wait()
}

/** A contract that approves what `holder` signed. */
export function walletOf(holder: { address: string }) {
  return ethers.deployContract('ContractWallet', [holder.address])
}

async function contractWallet(): Promise<Party> {
  const holder = await newKey()
  const wallet = await walletOf(holder)
  const send = (contract: BaseContract, call: string, args: readonly unknown[]) =>
    wallet.connect(holder).execute(contract, contract.interface.encodeFunctionData(call, [...args]))
  return { address: await wallet.getAddress(), signer: signingFor(holder, await wallet.getAddress()), send }
}

/** An account with a key and the code of `target`; `signer` signs for it, by default its own key. */
async function delegated(target: string, signer?: HDNodeWallet): Promise<Party> {
  const key = await newKey()
  await delegate(key, target)
  const send = (contract: BaseContract, call: string, args: readonly unknown[]) =>
    key.sendTransaction({ to: contract, data: contract.interface.encodeFunctionData(call, [...args]) })
  return { address: key.address, signer: signingFor(signer ?? key, key.address), send }
}

/** The signatures of a key under the address of the account that it signs for. */
function signingFor(key: HDNodeWallet, address: string): Party['signer'] {
  return {
    address,
    signMessage: (message) => key.signMessage(message),
    signTypedData: (domain, types, value) => key.signTypedData(domain, types, value),
  }
}

async function troubled(kind: number): Promise<Party> {
  const target = await ethers.deployContract('Troublemaker', [kind])
  return delegated(await target.getAddress())
}

/** Every kind of account but a bare key. */
export const accountKinds: [string, () => Promise<Party>][] = [
  ['a contract wallet', contractWallet],
  [
    'a delegated account whose code approves the signatures of another key',
    async () => {
      const holder = await newKey()
      return delegated(await (await walletOf(holder)).getAddress(), holder)
    },
  ],
  [
    'a delegated account that signs by its key although its code approves another only',
    async () => delegated(await (await walletOf(await newKey())).getAddress()),
  ],
  [
    'a delegated account whose code knows nothing of ERC-1271',
    async () => delegated(await (await ethers.deployContract('ResultConsumer')).getAddress()),
  ],
  ['a delegated account whose code reverts', () => troubled(TROUBLE.reverts)],
  ['a delegated account whose code reverts with a bomb', () => troubled(TROUBLE.revertsWithABomb)],
  ['a delegated account whose code returns a bomb', () => troubled(TROUBLE.returnsABomb)],
  ['a delegated account whose code burns all gas', () => troubled(TROUBLE.burnsGas)],
]
