import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hex } from '@sealdeal/protocol'
import { expect } from 'chai'
import { type Entry, openJournal } from './journal.ts'
import { fileOutbox } from './outbox.ts'

const hex = (byte: string, length: number): Hex => `0x${byte.repeat(length)}`
const entry: Entry = {
  lease: {
    chainId: '31337',
    hub: hex('aa', 20),
    dealId: hex('d1', 32),
    index: '0',
    taskId: hex('7a', 32),
    worker: hex('bb', 20),
    attempt: '1',
    expiry: '1800000000',
    signature: hex('51', 65),
    app: { address: hex('a1', 20), type: 'BUNDLE', multiaddr: '0xa503', checksum: hex('c5', 32) },
    maxSeconds: '300',
  },
  sent: [],
}

describe('the journal', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sealdeal-journal-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('gives back what was written, after a restart', async () => {
    const outcome = {
      resultDigest: hex('0d', 32),
      results: hex('0e', 3),
      resultsCallback: '0x' as Hex,
      enclaveAddress: hex('e1', 20),
      enclaveSignature: hex('e2', 65),
      authorization: hex('e3', 65),
    }
    const journal = await openJournal(directory)
    await Promise.all([journal.write(entry), journal.write({ ...entry, outcome, sent: [hex('f1', 32)] })])
    const again = await openJournal(directory)
    expect(await again.entries()).to.deep.equal([{ ...entry, outcome, sent: [hex('f1', 32)] }])
    await again.remove(entry.lease.taskId)
    expect(await again.entries()).to.deep.equal([])
  })

  it('starts although a file is damaged, and keeps it aside', async () => {
    const journal = await openJournal(directory)
    await journal.write(entry)
    await writeFile(join(directory, `${hex('99', 32)}.json`), '{"lease":')
    expect(await journal.entries()).to.deep.equal([entry])
    expect(await readdir(directory)).to.include(`${hex('99', 32)}.json.damaged`)
  })

  it('is readable by its owner only', async () => {
    const journal = await openJournal(join(directory, 'deeper'))
    await journal.write(entry)
    const { mode } = await stat(join(directory, 'deeper', `${entry.lease.taskId}.json`))
    expect(mode & 0o077).to.equal(0)
  })
})

describe('the outbox', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sealdeal-outbox-'))
  })
  afterEach(() => rm(directory, { recursive: true }))
  const entryOf = (name: string, nonce: number) => ({ id: name, nonce, hashes: [hex('f1', 32)], raw: hex('02', 9) })

  it('remembers signed transactions over a restart, and never gives a nonce twice', async () => {
    const outbox = await fileOutbox(directory)
    await outbox.locked(async (session) => {
      expect(await session.nextNonce(4)).to.equal(4)
      await session.add({ ...entryOf('one', 4), reference: 'finalize:x' }, async () => {})
      expect(await session.nextNonce(4)).to.equal(5)
    })
    const again = await fileOutbox(directory)
    expect(await again.pending()).to.deep.equal([{ ...entryOf('one', 4), reference: 'finalize:x' }])
    await again.finish('one', 'mined')
    expect(await again.pending()).to.deep.equal([])
    expect(await again.locked((session) => session.nextNonce(5))).to.equal(5)
  })

  it('records nothing when what belongs to it could not be written', async () => {
    const outbox = await fileOutbox(directory)
    const write = async () => {
      throw new Error('disk full')
    }
    const added = outbox.locked((session) => session.add(entryOf('one', 0), write))
    expect(await added.catch((error) => error.message)).to.equal('disk full')
    expect(await outbox.pending()).to.deep.equal([])
  })
})
