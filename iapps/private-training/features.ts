import { COLUMNS, type PatientRecord } from './records.ts'

/** What was learnt from the training records alone about how to turn a record into numbers. */
export type Features = {
  /** What an unknown attribute is taken for: the median, or the most frequent code. */
  fill: Record<string, number>
  columns: { name: string; mean: number; scale: number }[]
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

function mostFrequent(values: number[], codes: number[]): number {
  const counts = codes.map((code) => values.filter((value) => value === code).length)
  return codes[counts.indexOf(Math.max(...counts))] ?? 0
}

/** Turns attributes into numbers: unknown ones filled, each code but the first a column of its own. */
function expand(record: PatientRecord, fill: Record<string, number>): number[] {
  return COLUMNS.flatMap(({ name, codes }, index) => {
    const value = record.attributes[index] ?? fill[name] ?? 0
    return codes === undefined ? [value] : codes.slice(1).map((code) => (value === code ? 1 : 0))
  })
}

const NAMES = COLUMNS.flatMap(({ name, codes }) =>
  codes === undefined ? [name] : codes.slice(1).map((code) => `${name}=${code}`),
)

/** Learns fills, means and scales from the training records. The test records have no part in it. */
export function fitFeatures(train: PatientRecord[]): Features {
  const fill: Record<string, number> = {}
  for (const [index, { name, codes }] of COLUMNS.entries()) {
    const known = train.flatMap((record) => record.attributes[index] ?? [])
    fill[name] = codes === undefined ? median(known) : mostFrequent(known, codes)
  }
  const rows = train.map((record) => expand(record, fill))
  const columns = NAMES.map((name, index) => {
    const values = rows.map((row) => row[index] ?? 0)
    const mean = sum(values) / values.length
    const variance = sum(values.map((value) => (value - mean) ** 2)) / values.length
    // A column that never varies says nothing: its scale of one leaves it at zero.
    return { name, mean, scale: variance > 0 ? Math.sqrt(variance) : 1 }
  })
  return { fill, columns }
}

/** Turns a record into standardised numbers. */
export function toFeatures(record: PatientRecord, { fill, columns }: Features): number[] {
  const row = expand(record, fill)
  return columns.map(({ mean, scale }, index) => ((row[index] ?? 0) - mean) / scale)
}

/** How many values were unknown, by attribute; attributes known everywhere are left out. */
export function countMissing(records: PatientRecord[]): Record<string, number> {
  const counts = COLUMNS.map(({ name }, index): [string, number] => [
    name,
    records.filter((record) => record.attributes[index] === undefined).length,
  ])
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

/** Adds in the order given: floating-point sums depend on it, and every run must give the same digits. */
export function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
