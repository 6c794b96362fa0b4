import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Address } from '@sealdeal/protocol'
import { type Database, openDatabase, openTestDatabase } from '@sealdeal/server'
import { expect } from 'chai'
import { append, type Entry, verifyAudit } from './auditLog.ts'
import { migrations } from './index.ts'

const actor: Address = `0x${'ab'.repeat(20)}`

describe('the audit log', function () {
  this.timeout(60_000)
  let test: Awaited<ReturnType<typeof openTestDatabase>>
  let database: Database
  before(async () => {
    test = await openTestDatabase({ migrations })
    database = test.database
  })
  beforeEach(async () => {
    await database.query('truncate audit_entry')
    await database.query(`update audit_head set sequence = 0, hash = repeat('0', 64)`)
  })
  after(() => test.close())

  async function write(count: number, to: Database = database): Promise<void> {
    for (let at = 0; at < count; at++) {
      const secrets = [['requester', actor, `name ${at}`]] as const
      await to.transaction((transaction) => append(transaction, { action: 'stored', outcome: 'done', actor, secrets }))
    }
  }
  const problems = async (noted?: { sequence: number; hash: string }) =>
    (await verifyAudit({ database, noted })).problems

  it('is one chain, whichever replica writes, and gives each entry in order', async () => {
    const replicas = await Promise.all([1, 2, 3, 4].map(() => openDatabase({ url: test.url, migrations })))
    await Promise.all(replicas.flatMap((replica) => [write(5, replica), write(5, replica)]))
    const entries: Entry[] = []
    const verdict = await verifyAudit({ database, onEntry: (entry) => entries.push(entry) })
    await Promise.all(replicas.map((replica) => replica.close()))
    expect(verdict.problems).to.deep.equal([])
    expect(entries.map(({ sequence }) => sequence)).to.deep.equal(Array.from({ length: 40 }, (_, at) => at + 1))
    expect(verdict.head).to.deep.equal({ sequence: 40, hash: entries.at(-1)?.hash })
    expect(entries[0]).to.deep.include({ action: 'stored', outcome: 'done', actor, taskId: null, attempt: null })
    expect(entries[0]?.secrets[0]?.slice(0, 2)).to.deep.equal(['requester', actor])
  })

  it('has no entry of what was undone', async () => {
    const undone = database.transaction(async (transaction) => {
      await append(transaction, { action: 'deleted', outcome: 'done', secrets: [] })
      throw new Error('undo it')
    })
    await undone.catch(() => {})
    await write(1)
    expect(await verifyAudit({ database })).to.deep.include({ entries: 1, problems: [] })
  })

  for (const [column, value] of Object.entries({
    at: `at - interval '1 millisecond'`,
    action: `'deleted'`,
    outcome: `'refused'`,
    actor: 'null',
    secrets: `'[]'`,
    task_id: `'0x12'`,
    attempt: '7',
    enclave_address: `'0x12'`,
    reason: `'none'`,
  })) {
    it(`names an entry whose ${column} was changed`, async () => {
      await write(4)
      await database.query(`update audit_entry set ${column} = ${value} where sequence = 2`)
      expect(await problems()).to.deep.equal(['entry 2 was changed'])
    })
  }

  it('names what was taken out: in the middle, at the beginning and at the end', async () => {
    await write(9)
    await database.query('delete from audit_entry where sequence in (1, 4, 5, 9)')
    expect(await problems()).to.deep.equal(['entry 1 is missing', 'entries 4 to 5 are missing', 'entry 9 is missing'])
  })

  it('names the place of an entry that was exchanged whole, with a hash that fits it', async () => {
    await write(3)
    const rows = await database.query<{ sequence: bigint; hash: string }>('select * from audit_entry order by sequence')
    await database.query('truncate audit_entry')
    await database.query(`update audit_head set sequence = 0, hash = repeat('0', 64)`)
    await write(3)
    await database.query('update audit_head set hash = $1', [rows[2]?.hash])
    expect(await problems()).to.deep.equal(['entry 3 is not the last that was written'])
    await database.query('update audit_entry set previous = $1 where sequence = 2', [rows[0]?.hash])
    expect((await problems())[0]).to.contain('entry 2 does not follow entry 1')
  })

  it('that was written anew as a whole does not hold the head that was noted', async () => {
    await write(3)
    const { head } = await verifyAudit({ database })
    expect(await problems(head)).to.deep.equal([])
    await database.query('truncate audit_entry')
    await database.query(`update audit_head set sequence = 0, hash = repeat('0', 64)`)
    await write(2)
    expect(await problems()).to.deep.equal([])
    expect(await problems(head)).to.deep.equal(['entry 3, which was noted, is missing'])
    await write(2)
    expect(await problems(head)).to.deep.equal(['entry 3 is not the one that was noted'])
  })

  it('is verified and exported by a command', async () => {
    await write(3)
    await database.query('delete from audit_entry where sequence = 2')
    const command = fileURLToPath(new URL('./audit.ts', import.meta.url))
    const env = { PATH: process.env.PATH, DATABASE_URL: test.url }
    const child = spawn(process.execPath, [command, '--export'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const [lines, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    expect(child.exitCode).to.equal(1)
    expect(said).to.contain('entry 2 is missing').and.contain('2 entries, 1 problems; the last is 3:')
    const exported = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(exported.map(({ sequence }) => sequence)).to.deep.equal([1, 3])
  })
})
