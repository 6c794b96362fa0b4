import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { eventDigest, launchIdentity, parseEventLog, replayDigests, replayRtmr3, runtimeEvents } from './events.ts'
import { expectRefusal } from './fixtures.ts'

describe('events', () => {
  it('digests an event as sha384(le32(0x08000001) ":" name ":" payload)', async () => {
    const bytes = Buffer.concat([
      Buffer.from('01000008', 'hex'),
      Buffer.from(':sealdeal-app:'),
      Buffer.from('c0ffee', 'hex'),
    ])
    const expected = createHash('sha384').update(bytes).digest('hex')
    expect(await eventDigest({ event: 'sealdeal-app', payload: '0xc0ffee' })).to.equal(`0x${expected}`)
  })
  it('replays nothing to 48 zero bytes, and events in their order', async () => {
    expect(await replayRtmr3([])).to.equal(`0x${'00'.repeat(48)}`)
    const first = { event: 'a', payload: '0x01' } as const
    const second = { event: 'b', payload: '0x02' } as const
    expect(await replayRtmr3([first, second])).not.to.equal(await replayRtmr3([second, first]))
    const extended = createHash('sha384')
      .update(Buffer.alloc(48))
      .update(Buffer.from((await eventDigest(first)).slice(2), 'hex'))
      .digest('hex')
    expect(await replayRtmr3([first])).to.equal(`0x${extended}`)
  })
  it('refuses a name with a colon, because name and payload could be cut elsewhere', async () => {
    await expectRefusal(replayRtmr3([{ event: 'a:b', payload: '0x' }]), 'event-log')
  })
  it('refuses payloads and digests that are not what they should be', async () => {
    await expectRefusal(replayRtmr3([{ event: 'a', payload: '0xzz' }]), 'event-log')
    await expectRefusal(replayDigests(['0x00']), 'event-log')
  })
  it('reads the identity from events before system-ready only', () => {
    const hash = `0x${'11'.repeat(32)}` as const
    const late = `0x${'22'.repeat(32)}` as const
    const events = [
      { event: 'compose-hash', payload: hash },
      { event: 'system-ready', payload: '0x' as const },
      { event: 'compose-hash', payload: late },
      { event: 'app-id', payload: late },
    ]
    expect(launchIdentity(events)).to.deep.equal({ composeHash: hash })
  })
  it('refuses an identity that is claimed twice', async () => {
    const claim = { event: 'app-id', payload: '0x01' } as const
    await expectRefusal(
      Promise.resolve().then(() => launchIdentity([claim, claim])),
      'event-log',
    )
  })
  it('reads a log without digests, and refuses a malformed one or a foreign event in RTMR3', async () => {
    const line = { imr: 3, event_type: 0x08000001, event: 'app-id', event_payload: 'AB' }
    expect(runtimeEvents(parseEventLog(JSON.stringify([line])))).to.deep.equal([{ event: 'app-id', payload: '0xab' }])
    for (const text of [
      '',
      '{}',
      JSON.stringify([{ ...line, imr: 4 }]),
      JSON.stringify([{ ...line, event_payload: 'xy' }]),
    ]) {
      await expectRefusal(
        Promise.resolve().then(() => parseEventLog(text)),
        'event-log',
      )
    }
    const foreign = parseEventLog(JSON.stringify([{ ...line, event_type: 1 }]))
    await expectRefusal(
      Promise.resolve().then(() => runtimeEvents(foreign)),
      'event-log',
    )
  })
})
