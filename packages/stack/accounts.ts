import { writeFileSync } from 'node:fs'
import type { Hex } from '@sealdeal/protocol'
import { HDNodeWallet, Mnemonic, type Provider, Wallet } from 'ethers'

/** The phrase that every local chain funds. It is public: its keys are worth nothing anywhere else. */
const phrase = 'test test test test test test test test test test test junk'

/** The people and machines of a local stack, in the order of the phrase's accounts. */
export const roles = [
  'operator',
  'hospital',
  'company',
  'poolOwner',
  'researcher',
  'worker',
  'matcher',
  'stranger',
  'relayer',
] as const

export type Role = (typeof roles)[number]

/** The wallets of a local stack, connected to its chain. */
export function localWallets(provider: Provider): Record<Role, Wallet> {
  const mnemonic = Mnemonic.fromPhrase(phrase)
  const entries = roles.map((role, index) => {
    const { privateKey } = HDNodeWallet.fromMnemonic(mnemonic, `m/44'/60'/0'/0/${index}`)
    return [role, new Wallet(privateKey, provider)]
  })
  return Object.fromEntries(entries) as Record<Role, Wallet>
}

/** Writes a secret where only its owner can read it. */
export function writeSecretFile(path: string, secret: Hex | string) {
  writeFileSync(path, `${secret}\n`, { mode: 0o600 })
}
