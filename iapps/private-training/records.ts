import { InputError } from './errors.ts'

type Column = {
  name: string
  /** Codes of a categorical column; the first is the one that the others are compared with. Numbers otherwise. */
  codes?: number[]
  min: number
  max: number
  /** Codes by which this edition of the data writes "unknown". */
  missing?: number[]
}

/**
 * The thirteen attributes of the heart-disease records, in the order of the file, with plausible ranges: a value outside of them is a
 * broken file. In this edition `ca` 4 and `thal` 0 stand for the question marks of the original.
 */
export const COLUMNS: readonly Column[] = [
  { name: 'age', min: 1, max: 120 },
  { name: 'sex', min: 0, max: 1 },
  { name: 'cp', codes: [0, 1, 2, 3], min: 0, max: 3 },
  { name: 'trestbps', min: 50, max: 300 },
  { name: 'chol', min: 50, max: 1000 },
  { name: 'fbs', min: 0, max: 1 },
  { name: 'restecg', codes: [0, 1, 2], min: 0, max: 2 },
  { name: 'thalach', min: 40, max: 250 },
  { name: 'exang', min: 0, max: 1 },
  { name: 'oldpeak', min: 0, max: 10 },
  { name: 'slope', codes: [0, 1, 2], min: 0, max: 2 },
  { name: 'ca', min: 0, max: 4, missing: [4] },
  { name: 'thal', codes: [2, 1, 3], min: 0, max: 3, missing: [0] },
]

/** One patient. Unknown attributes are `undefined`. `isDiseased`: a coronary artery is narrowed by more than half. */
export type PatientRecord = { attributes: (number | undefined)[]; isDiseased: boolean }

/**
 * Reads records from CSV: thirteen attributes and the outcome, with or without a header line, byte-order mark or CRLF. In the outcome
 * column of this edition 0 means diseased and 1 healthy.
 *
 * @param what - How messages call the file. They never hold a value of a record.
 * @throws InputError naming line and column.
 */
export function parseRecords({ bytes, what }: { bytes: Uint8Array; what: string }): PatientRecord[] {
  const text = decode(bytes, what)
  const records: PatientRecord[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const cells = line.split(',').map((cell) => cell.trim())
    if (records.length === 0 && index === 0 && cells[0] === 'age') continue
    const place = `${what}, line ${index + 1}`
    if (cells.length !== COLUMNS.length + 1) {
      throw new InputError(`${place}: found ${cells.length} columns, expected ${COLUMNS.length + 1}.`)
    }
    const attributes = COLUMNS.map((column, position) => readCell({ text: cells[position] ?? '', column, place }))
    const outcome = readCell({
      text: cells[COLUMNS.length] ?? '',
      column: { name: 'target', min: 0, max: 1, codes: [0, 1] },
      place,
    })
    if (outcome === undefined) throw new InputError(`${place}: the outcome "target" is missing.`)
    records.push({ attributes, isDiseased: outcome === 0 })
  }
  if (records.length === 0) throw new InputError(`${what} holds no record.`)
  return records
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    // The decoder takes a byte-order mark off.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new InputError(`${what} is not UTF-8 text.`, { cause })
  }
}

function readCell({ text, column, place }: { text: string; column: Column; place: string }): number | undefined {
  if (text === '' || text === '?' || text === 'NA') return undefined
  const value = Number(text)
  if (column.missing?.includes(value)) return undefined
  const isKnown = column.codes === undefined || column.codes.includes(value)
  if (!(value >= column.min && value <= column.max) || !isKnown) {
    throw new InputError(`${place}: column "${column.name}" is not a value from ${column.min} to ${column.max}.`)
  }
  return value
}

/** Leaves each record in once: a copy in training and test would be known by heart. */
export function withoutCopies(records: PatientRecord[]): PatientRecord[] {
  return [...new Map(records.map((record) => [JSON.stringify(record), record])).values()]
}
