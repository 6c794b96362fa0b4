import { Bytes } from '@sealdeal/protocol'
import { ConfigError, readKeyFile } from '@sealdeal/server'
import type { MasterKeyConfig } from './config.ts'
import { type MasterKeys, masterKeys } from './envelope.ts'
import { type KeyWrapper, localKey } from './keyWrapper.ts'
import { vaultKey } from './vault.ts'

/**
 * The master keys that the configuration names, in its order.
 *
 * @throws KeyFileError ConfigError; neither says what is in a file or a variable.
 */
export async function openMasterKeys(
  config: MasterKeyConfig,
  env: Record<string, string | undefined>,
): Promise<MasterKeys> {
  const names = config.SMS_MASTER_KEYS ?? [`file:${config.SMS_MASTER_KEY_FILE}`]
  const [current, ...former] = await Promise.all(names.map((name) => openKey({ name, config, env })))
  if (!current) throw new ConfigError({ problems: ['SMS_MASTER_KEYS: names no key'] })
  return masterKeys(current, ...former)
}

async function openKey({
  name,
  config: { SMS_VAULT_URL: url = '', SMS_VAULT_TOKEN_FILE: tokenFile = '' },
  env,
}: {
  name: string
  config: MasterKeyConfig
  env: Record<string, string | undefined>
}): Promise<KeyWrapper> {
  const driver = name.slice(0, name.indexOf(':'))
  const where = name.slice(driver.length + 1)
  if (driver === 'vault') return vaultKey({ url, key: where, tokenFile })
  if (driver === 'file') return localKey(Bytes.fromHex(await readKeyFile(where)))
  const text = env[where]?.trim() ?? ''
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    throw new ConfigError({ problems: [`${where}: SMS_MASTER_KEYS names it; it must be 32 bytes in hex: 64 digits`] })
  }
  return localKey(Bytes.fromHex(`0x${text.replace(/^0x/, '')}`))
}
