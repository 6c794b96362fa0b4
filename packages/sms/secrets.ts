import type { Address, Hex } from '@sealdeal/protocol'
import type { Database, Query } from '@sealdeal/server'
import { append, type SecretName } from './auditLog.ts'
import { close, type Label, type MasterKeys, open } from './envelope.ts'
import { SecretAuthorizationSpentError, SecretDeletedError } from './errors.ts'

/**
 * Whose secret, under which name. `dataset` and `app` secrets belong to the contract and have no name of their own;
 * `requester` and `account` secrets belong to a wallet and have one.
 */
export type SecretId = { kind: 'dataset' | 'app' | 'requester' | 'account'; owner: Address; name?: string }

/** The secrets of everybody, encrypted at rest. */
export type Secrets = {
  has(id: SecretId): Promise<boolean>
  /** Stores a secret that is not there yet; false when it is, or was. */
  create(id: SecretId, value: string, authorized?: Authorized): Promise<boolean>
  /** Replaces a secret that is there; false when it is not. */
  update(id: SecretId, value: string, authorized?: Authorized): Promise<boolean>
  /** The value, or undefined. Throws SecretDeletedError for what its owner deleted. */
  read(id: SecretId): Promise<string | undefined>
  /** Forgets a secret; false when there is none. Of datasets and apps it stays known that there was one. */
  remove(id: SecretId, authorized?: Authorized): Promise<boolean>
}

/** Who signed for a change; `spends`: the hash of an authorization that counts once. */
export type Authorized = { by?: Address | undefined; spends?: Hex | undefined }

/** Secrets in `database`, under `master`. Every change leaves a line in the audit log, in the same transaction. */
export function createSecrets({ database, master }: { database: Database; master: MasterKeys }): Secrets {
  async function has(id: SecretId): Promise<boolean> {
    const { kind, owner, name } = labelOf(id)
    const rows = await database.query(
      'select 1 from secret where kind = $1 and owner = $2 and name = $3 and deleted_at is null',
      [kind, owner, name],
    )
    return rows.length > 0
  }

  async function write(
    id: SecretId,
    value: string,
    action: 'stored' | 'updated',
    { by, spends }: Authorized = {},
  ): Promise<boolean> {
    const label = labelOf(id)
    const { masterKey, wrappedKey, ciphertext } = await close({ value, label, master })
    const values = [label.kind, label.owner, label.name, masterKey, wrappedKey, ciphertext]
    return database.transaction(async (transaction) => {
      const rows = await transaction.query(statements[action], values)
      if (rows.length === 0) return false
      if (spends !== undefined) await spend(transaction, { id, digest: spends })
      await append(transaction, { action, outcome: 'done', actor: by, secrets: [secretName(id)] })
      return true
    })
  }

  async function read(id: SecretId): Promise<string | undefined> {
    const label = labelOf(id)
    const [row] = await database.query<SecretRow>(
      'select master_key, wrapped_key, ciphertext, deleted_at from secret where kind = $1 and owner = $2 and name = $3',
      [label.kind, label.owner, label.name],
    )
    if (!row) return undefined
    if (row.deleted_at !== null) throw new SecretDeletedError({ kind: id.kind, owner: id.owner })
    const envelope = { masterKey: row.master_key, wrappedKey: row.wrapped_key, ciphertext: row.ciphertext }
    return open({ envelope, label, master })
  }

  async function remove(id: SecretId, { by }: Authorized = {}): Promise<boolean> {
    const label = labelOf(id)
    const statement = id.kind === 'dataset' || id.kind === 'app' ? statements.emptied : statements.removed
    return database.transaction(async (transaction) => {
      const rows = await transaction.query(statement, [label.kind, label.owner, label.name])
      if (rows.length === 0) return false
      await append(transaction, { action: 'deleted', outcome: 'done', actor: by, secrets: [secretName(id)] })
      return true
    })
  }

  return {
    has,
    create: (id, value, authorized) => write(id, value, 'stored', authorized),
    update: (id, value, authorized) => write(id, value, 'updated', authorized),
    read,
    remove,
  }
}

type SecretRow = { master_key: string; wrapped_key: Buffer; ciphertext: Buffer; deleted_at: Date | null }

const statements = {
  stored: `insert into secret (kind, owner, name, master_key, wrapped_key, ciphertext)
    values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning 1`,
  updated: `update secret set master_key = $4, wrapped_key = $5, ciphertext = $6, updated_at = now()
    where kind = $1 and owner = $2 and name = $3 and deleted_at is null returning 1`,
  emptied: `update secret set wrapped_key = '', ciphertext = '', deleted_at = now(), updated_at = now()
    where kind = $1 and owner = $2 and name = $3 and deleted_at is null returning 1`,
  removed: 'delete from secret where kind = $1 and owner = $2 and name = $3 returning 1',
}

/** @throws SecretAuthorizationSpentError, and with it everything of the transaction is undone. */
async function spend(query: Query, { id, digest }: { id: SecretId; digest: Hex }): Promise<void> {
  const rows = await query.query(
    'insert into spent_authorization (digest) values ($1) on conflict do nothing returning 1',
    [digest],
  )
  if (rows.length === 0) throw new SecretAuthorizationSpentError({ owner: id.owner })
}

function labelOf({ kind, owner, name = '' }: SecretId): Label {
  return { kind, owner: owner.toLowerCase(), name }
}

/** As the audit log names a secret. */
export function secretName(id: SecretId): SecretName {
  const { kind, owner, name } = labelOf(id)
  return [kind, owner, name]
}
