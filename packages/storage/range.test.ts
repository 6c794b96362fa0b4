import { expect } from 'chai'
import { parseRange } from './range.ts'

describe('parseRange', () => {
  const cases: [string | undefined, number, unknown][] = [
    [undefined, 10, 'whole'],
    ['bytes=0-3', 10, { start: 0, end: 4 }],
    ['bytes=4-', 10, { start: 4, end: 10 }],
    ['bytes=-3', 10, { start: 7, end: 10 }],
    ['bytes=-30', 10, { start: 0, end: 10 }],
    ['bytes=8-100', 10, { start: 8, end: 10 }],
    ['bytes=9-9', 10, { start: 9, end: 10 }],
    ['bytes=10-', 10, 'outside'],
    ['bytes=-0', 10, 'outside'],
    ['bytes=0-', 0, 'outside'],
    ['bytes=5-2', 10, 'whole'],
    ['bytes=0-1,4-5', 10, 'whole'],
    ['bytes=-', 10, 'whole'],
    ['lines=0-1', 10, 'whole'],
  ]
  for (const [header, size, expected] of cases) {
    it(`reads ${header ?? 'no header'} of ${size} bytes as ${JSON.stringify(expected)}`, () => {
      expect(parseRange(header, size)).to.deep.equal(expected)
    })
  }
})
