import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { close, masterKeys, open } from './envelope.ts'

const label = { kind: 'dataset', owner: '0xab', name: 'n' }

describe('envelope', () => {
  const master = masterKeys(randomBytes(32))

  it('opens to what was closed', async () => {
    const value = 'the value, of any length: é'
    expect(await open({ envelope: await close({ value, label, master }), label, master })).to.equal(value)
  })

  it('is different each time, and holds the value nowhere', async () => {
    const [one, two] = [
      await close({ value: 'canary', label, master }),
      await close({ value: 'canary', label, master }),
    ]
    expect(Buffer.from(one.ciphertext).equals(Buffer.from(two.ciphertext))).to.equal(false)
    expect(Buffer.from(one.wrappedKey).equals(Buffer.from(two.wrappedKey))).to.equal(false)
    expect(Buffer.from(one.ciphertext).includes('canary')).to.equal(false)
  })

  for (const change of [{ kind: 'app' }, { owner: '0xac' }, { name: 'm' }]) {
    it(`does not open under another ${Object.keys(change)[0]}`, async () => {
      const envelope = await close({ value: 'x', label, master })
      expect(await failureOf(open({ envelope, label: { ...label, ...change }, master }))).to.contain('does not open')
    })
  }

  it('tells apart labels that join to the same text', async () => {
    const envelope = await close({ value: 'x', label: { kind: 'a', owner: 'b","c', name: 'd' }, master })
    expect(await failureOf(open({ envelope, label: { kind: 'a', owner: 'b', name: 'c","d' }, master }))).to.contain(
      'does not open',
    )
  })

  it('does not open after any changed byte', async () => {
    const envelope = await close({ value: 'value', label, master })
    for (const part of ['ciphertext', 'wrappedKey'] as const) {
      for (let at = 0; at < envelope[part].length; at++) {
        const bytes = Uint8Array.from(envelope[part])
        bytes[at] = (bytes[at] ?? 0) ^ 1
        expect(await failureOf(open({ envelope: { ...envelope, [part]: bytes }, label, master }))).to.contain(
          'does not open',
        )
      }
    }
  })

  it('names the missing master key, and opens with a former one', async () => {
    const [old, current] = [randomBytes(32), randomBytes(32)]
    const envelope = await close({ value: 'x', label, master: masterKeys(old) })
    expect(await failureOf(open({ envelope, label, master: masterKeys(current) }))).to.contain(envelope.masterKey)
    const both = masterKeys(current, old)
    expect(await open({ envelope, label, master: both })).to.equal('x')
    expect((await close({ value: 'x', label, master: both })).masterKey).to.not.equal(envelope.masterKey)
  })
})

async function failureOf(opening: Promise<string>): Promise<string> {
  return opening.then(
    () => 'it opened',
    (error: Error) => error.message,
  )
}
