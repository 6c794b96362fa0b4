import { parseArgs } from 'node:util'
import { InputError } from './errors.ts'

/** How to train. */
export type Settings = {
  seed: number
  /** Share of the records held back for the test, above 0 and below 1. */
  testShare: number
  epochs: number
  learningRate: number
  /** Weight of the ridge penalty. */
  ridge: number
  /** Control experiment: the labels are shuffled, so nothing can be learnt. */
  shuffleLabels: boolean
}

const USAGE =
  'Arguments: --seed <integer> --test-share <0..1> --epochs <integer> --learning-rate <number> --ridge <number> --shuffle-labels'

/**
 * Reads the arguments of the app.
 *
 * @throws InputError naming the argument and what it should be.
 */
export function readSettings(words: string[]): Settings {
  const values = parse(words)
  return {
    seed: number({ name: 'seed', text: values.seed ?? '1', isInteger: true, min: 0, max: 2 ** 32 - 1 }),
    testShare: number({ name: 'test-share', text: values['test-share'] ?? '0.25', min: 0.05, max: 0.95 }),
    epochs: number({ name: 'epochs', text: values.epochs ?? '1000', isInteger: true, min: 1, max: 100_000 }),
    learningRate: number({ name: 'learning-rate', text: values['learning-rate'] ?? '0.3', min: 1e-6, max: 10 }),
    ridge: number({ name: 'ridge', text: values.ridge ?? '0.01', min: 0, max: 100 }),
    shuffleLabels: values['shuffle-labels'] ?? false,
  }
}

function parse(words: string[]) {
  try {
    const text = { type: 'string' } as const
    return parseArgs({
      args: words,
      strict: true,
      allowPositionals: false,
      options: {
        seed: text,
        'test-share': text,
        epochs: text,
        'learning-rate': text,
        ridge: text,
        'shuffle-labels': { type: 'boolean' },
      },
    }).values
  } catch (cause) {
    throw new InputError(`${cause instanceof Error ? cause.message : cause}\n${USAGE}`, { cause })
  }
}

function number({
  name,
  text,
  min,
  max,
  isInteger = false,
}: {
  name: string
  text: string
  min: number
  max: number
  isInteger?: boolean
}): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= min && value <= max && (!isInteger || Number.isInteger(value))) return value
  const kind = isInteger ? 'an integer' : 'a number'
  throw new InputError(`Argument --${name} must be ${kind} from ${min} to ${max}, found "${text}".\n${USAGE}`)
}
