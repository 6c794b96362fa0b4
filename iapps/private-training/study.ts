import { evaluate, type Scores } from './evaluate.ts'
import { countMissing, fitFeatures, toFeatures } from './features.ts'
import { createRandom } from './random.ts'
import { type PatientRecord, withoutCopies } from './records.ts'
import { predict, train } from './regression.ts'
import type { Settings } from './settings.ts'
import { split, withShuffledLabels } from './split.ts'

export type Model = {
  kind: 'logistic-regression'
  outcome: string
  /** For standardised columns: `(value - mean) / scale`. */
  intercept: number
  coefficients: { name: string; coefficient: number; mean: number; scale: number }[]
  unknownTakenFor: Record<string, number>
  settings: Settings
}

export type Metrics = Scores & {
  training: Scores
  records: { given: number; copies: number; used: number; diseased: number; missing: Record<string, number> }
  seed: number
  shuffledLabels: boolean
}

/** Trains on a part of the records and scores on the rest. The same records and settings give the same digits. */
export function study({ records, settings }: { records: PatientRecord[]; settings: Settings }): {
  model: Model
  metrics: Metrics
} {
  const random = createRandom(settings.seed)
  const unique = withoutCopies(records)
  const used = settings.shuffleLabels ? withShuffledLabels(unique, random) : unique
  const parts = split({ records: used, testShare: settings.testShare, random })
  const features = fitFeatures(parts.train)
  const labelsOf = (part: PatientRecord[]) => part.map((record) => record.isDiseased)
  const rowsOf = (part: PatientRecord[]) => part.map((record) => toFeatures(record, features))
  const regression = train({ rows: rowsOf(parts.train), labels: labelsOf(parts.train), ...settings })
  const score = (part: PatientRecord[]) =>
    evaluate({ chances: rowsOf(part).map((row) => predict(regression, row)), labels: labelsOf(part) })
  const coefficients = features.columns.map((column, index) => ({
    name: column.name,
    coefficient: regression.weights[index] ?? 0,
    mean: column.mean,
    scale: column.scale,
  }))
  return {
    model: {
      kind: 'logistic-regression',
      outcome: 'coronary artery narrowed by more than half',
      intercept: regression.intercept,
      coefficients,
      unknownTakenFor: Object.fromEntries(
        Object.keys(countMissing(unique)).map((name) => [name, features.fill[name] ?? 0]),
      ),
      settings,
    },
    metrics: {
      ...score(parts.test),
      training: score(parts.train),
      records: {
        given: records.length,
        copies: records.length - unique.length,
        used: unique.length,
        diseased: unique.filter((record) => record.isDiseased).length,
        missing: countMissing(unique),
      },
      seed: settings.seed,
      shuffledLabels: settings.shuffleLabels,
    },
  }
}
