import { sum } from './features.ts'

/** How good a model's chances are, against what happened. */
export type Scores = {
  n: number
  accuracy: number
  /** What always saying the more frequent class would get. */
  majorityBaseline: number
  /** Area under the receiver operating characteristic: the chance that a diseased record is scored above a healthy one. */
  auc: number
  logLoss: number
  confusion: { truePositive: number; falsePositive: number; trueNegative: number; falseNegative: number }
}

/** Scores chances of disease against outcomes. A chance of one half or more counts as "diseased". */
export function evaluate({ chances, labels }: { chances: number[]; labels: boolean[] }): Scores {
  const count = (predicted: boolean, actual: boolean) =>
    labels.filter((label, index) => label === actual && (chances[index] ?? 0) >= 0.5 === predicted).length
  const confusion = {
    truePositive: count(true, true),
    falsePositive: count(true, false),
    trueNegative: count(false, false),
    falseNegative: count(false, true),
  }
  const positives = labels.filter((label) => label).length
  const losses = labels.map(
    (label, index) => -Math.log(Math.max(1e-15, label ? (chances[index] ?? 0) : 1 - (chances[index] ?? 0))),
  )
  return {
    n: labels.length,
    accuracy: (confusion.truePositive + confusion.trueNegative) / labels.length,
    majorityBaseline: Math.max(positives, labels.length - positives) / labels.length,
    auc: areaUnderCurve(chances, labels),
    logLoss: sum(losses) / labels.length,
    confusion,
  }
}

function areaUnderCurve(chances: number[], labels: boolean[]): number {
  const of = (wanted: boolean) => chances.filter((_, index) => labels[index] === wanted)
  const diseased = of(true)
  const healthy = of(false)
  let wins = 0
  for (const high of diseased) {
    for (const low of healthy) wins += high > low ? 1 : high === low ? 0.5 : 0
  }
  return wins / (diseased.length * healthy.length)
}
