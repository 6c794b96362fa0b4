import { expect } from 'chai'
import { isClosed } from './keyFile.ts'

describe('isClosed', () => {
  const reader = { uid: 1_000, groups: [1_000] }
  const mounted = { uid: 0, gid: 1_000, mode: 0o100440 }

  it('holds for what nobody but its owner has a right to', () => {
    expect(isClosed({ uid: 7, gid: 7, mode: 0o600 }, reader)).to.equal(true)
    for (const mode of [0o640, 0o604, 0o610, 0o601]) expect(isClosed({ uid: 7, gid: 7, mode }, reader)).to.equal(false)
  })

  it('holds for what an orchestrator mounts: of root, readable by a group of this process, and by nobody else', () => {
    expect(isClosed(mounted, reader)).to.equal(true)
    for (const mode of [0o444, 0o460, 0o450]) expect(isClosed({ ...mounted, mode }, reader)).to.equal(false)
    expect(isClosed({ ...mounted, uid: 1_001 }, reader)).to.equal(false)
    expect(isClosed(mounted, { ...reader, groups: [5] })).to.equal(false)
    expect(isClosed(mounted, { ...reader, uid: 0 })).to.equal(false)
  })
})
