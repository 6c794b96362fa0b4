import { InputError } from './errors.ts'
import { type Random, shuffled } from './random.ts'
import type { PatientRecord } from './records.ts'

/** Gives every record the label of another: what is then learnt is nothing, and the scores must say so. */
export function withShuffledLabels(records: PatientRecord[], random: Random): PatientRecord[] {
  const labels = shuffled(
    records.map((record) => record.isDiseased),
    random,
  )
  return records.map((record, index) => ({ ...record, isDiseased: labels[index] ?? record.isDiseased }))
}

/**
 * Splits records into training and test, shuffled, with the same share of each class in both.
 *
 * @throws InputError when a class is too small to be in both.
 */
export function split({ records, testShare, random }: { records: PatientRecord[]; testShare: number; random: Random }) {
  const train: PatientRecord[] = []
  const test: PatientRecord[] = []
  for (const isDiseased of [false, true]) {
    const members = shuffled(
      records.filter((record) => record.isDiseased === isDiseased),
      random,
    )
    const count = Math.round(members.length * testShare)
    if (count === 0 || count === members.length) {
      throw new InputError(
        `${members.length} ${isDiseased ? 'diseased' : 'healthy'} records cannot be split into training and test.`,
      )
    }
    test.push(...members.slice(0, count))
    train.push(...members.slice(count))
  }
  return { train: shuffled(train, random), test }
}
