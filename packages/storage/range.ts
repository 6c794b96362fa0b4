/** Bytes from `start` up to, not including, `end`. */
export type Range = { start: number; end: number }

/**
 * Reads a `Range` header (RFC 9110, section 14) for a body of `size` bytes: a range, `'whole'` where the header is
 * absent, malformed or names several ranges (a server may ignore those), or `'outside'` where nothing can be served.
 */
export function parseRange(header: string | undefined, size: number): Range | 'whole' | 'outside' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.replaceAll(' ', '') ?? '')
  if (!match) return 'whole'
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return 'whole'
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'outside' : { start: size - length, end: size }
  }
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  if (last !== '' && Number(last) < start) return 'whole'
  return start >= size ? 'outside' : { start, end }
}
