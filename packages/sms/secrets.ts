import type { Address } from '@sealdeal/protocol'
import type { Database, Query } from '@sealdeal/server'
import { close, type Label, type MasterKeys, open } from './envelope.ts'

/**
 * Whose secret, under which name. `dataset` and `app` secrets belong to the contract and have no name of their own;
 * `requester` and `account` secrets belong to a wallet and have one.
 */
export type SecretId = { kind: 'dataset' | 'app' | 'requester' | 'account'; owner: Address; name?: string }

/** The secrets of everybody, encrypted at rest. */
export type Secrets = {
  has(id: SecretId): Promise<boolean>
  /** Stores a secret that is not there yet; false when it is. */
  create(id: SecretId, value: string): Promise<boolean>
  /** Replaces a secret that is there; false when it is not. */
  update(id: SecretId, value: string): Promise<boolean>
  /** The value, or undefined. */
  read(id: SecretId): Promise<string | undefined>
}

/** Secrets in `database`, under `master`. Every change leaves a line in the audit log, in the same transaction. */
export function createSecrets({ database, master }: { database: Database; master: MasterKeys }): Secrets {
  async function has(id: SecretId): Promise<boolean> {
    const { kind, owner, name } = labelOf(id)
    const rows = await database.query('select 1 from secret where kind = $1 and owner = $2 and name = $3', [
      kind,
      owner,
      name,
    ])
    return rows.length > 0
  }

  async function write(id: SecretId, value: string, action: 'stored' | 'updated'): Promise<boolean> {
    const label = labelOf(id)
    const { masterKey, wrappedKey, ciphertext } = close({ value, label, master })
    const values = [label.kind, label.owner, label.name, masterKey, wrappedKey, ciphertext]
    return database.transaction(async (transaction) => {
      const rows = await transaction.query(statements[action], values)
      if (rows.length > 0) await audit(transaction, label, action)
      return rows.length > 0
    })
  }

  async function read(id: SecretId): Promise<string | undefined> {
    const label = labelOf(id)
    const [row] = await database.query<SecretRow>(
      'select master_key, wrapped_key, ciphertext from secret where kind = $1 and owner = $2 and name = $3',
      [label.kind, label.owner, label.name],
    )
    if (!row) return undefined
    const envelope = { masterKey: row.master_key, wrappedKey: row.wrapped_key, ciphertext: row.ciphertext }
    return open({ envelope, label, master })
  }

  return {
    has,
    create: (id, value) => write(id, value, 'stored'),
    update: (id, value) => write(id, value, 'updated'),
    read,
  }
}

type SecretRow = { master_key: string; wrapped_key: Buffer; ciphertext: Buffer }

const statements = {
  stored: `insert into secret (kind, owner, name, master_key, wrapped_key, ciphertext)
    values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning 1`,
  updated: `update secret set master_key = $4, wrapped_key = $5, ciphertext = $6, updated_at = now()
    where kind = $1 and owner = $2 and name = $3 returning 1`,
}

function labelOf({ kind, owner, name = '' }: SecretId): Label {
  return { kind, owner: owner.toLowerCase(), name }
}

async function audit(query: Query, { kind, owner, name }: Label, action: string): Promise<void> {
  await query.query('insert into audit (action, kind, owner, name) values ($1, $2, $3, $4)', [
    action,
    kind,
    owner,
    name,
  ])
}
