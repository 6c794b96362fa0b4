import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from './errors.ts'
import { readLeaf } from './protectedData.ts'
import { type PatientRecord, parseRecords } from './records.ts'

/** The entry of the protected data that holds the records. */
export const RECORDS = 'records'

type Environment = Record<string, string | undefined>

/**
 * Reads the records of the task's dataset, or of every dataset of a bulk slice (several hospitals), in their order.
 *
 * @throws InputError when there is none, or one cannot be read.
 */
export function readDatasets(env: Environment): { datasets: number; records: PatientRecord[] } {
  const folder = required(env, 'IEXEC_IN')
  const names = datasetNames(env)
  const records = names.flatMap(({ name, what }) => {
    const archive = readArchive(join(folder, name), what)
    return parseRecords({ bytes: readLeaf({ archive, path: RECORDS, what }), what })
  })
  return { datasets: names.length, records }
}

function datasetNames(env: Environment): { name: string; what: string }[] {
  const size = Number(env.IEXEC_BULK_SLICE_SIZE ?? '0')
  if (!Number.isInteger(size) || size < 0) throw new InputError('IEXEC_BULK_SLICE_SIZE is not a count.')
  if (size === 0) {
    const name = env.IEXEC_DATASET_FILENAME
    if (!name) throw new InputError('The task has no dataset: this app trains on protected records.')
    return [{ name, what: 'The dataset' }]
  }
  return Array.from({ length: size }, (_, index) => {
    const name = required(env, `IEXEC_DATASET_${index + 1}_FILENAME`)
    return { name, what: `Dataset ${index + 1} of ${size}` }
  })
}

function required(env: Environment, name: string): string {
  const value = env[name]
  if (!value) throw new InputError(`The environment has no ${name}: this app runs inside an enclave task.`)
  return value
}

function readArchive(path: string, what: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new InputError(`${what} cannot be read from the input folder.`, { cause })
  }
}
