/** A logistic regression: the odds of the outcome are e to the power of `intercept + weights . features`. */
export type Regression = { intercept: number; weights: number[] }

/** Chance of the outcome, from 0 to 1. */
export function predict({ intercept, weights }: Regression, features: number[]): number {
  let score = intercept
  for (const [index, weight] of weights.entries()) score += weight * (features[index] ?? 0)
  return 1 / (1 + Math.exp(-score))
}

/**
 * Trains by gradient descent over all records at once, from zero, with a ridge penalty on the weights. No randomness and one fixed
 * order of additions: the same records give the same digits.
 */
export function train({
  rows,
  labels,
  epochs,
  learningRate,
  ridge,
}: {
  rows: number[][]
  labels: boolean[]
  epochs: number
  learningRate: number
  ridge: number
}): Regression {
  const width = rows[0]?.length ?? 0
  let model: Regression = { intercept: 0, weights: new Array<number>(width).fill(0) }
  for (let epoch = 0; epoch < epochs; epoch++) {
    const slopes = new Array<number>(width).fill(0)
    let slope = 0
    for (const [index, row] of rows.entries()) {
      const error = predict(model, row) - (labels[index] ? 1 : 0)
      slope += error
      for (let column = 0; column < width; column++) slopes[column] = (slopes[column] ?? 0) + error * (row[column] ?? 0)
    }
    model = {
      intercept: model.intercept - (learningRate * slope) / rows.length,
      weights: model.weights.map(
        (weight, column) => weight - learningRate * ((slopes[column] ?? 0) / rows.length + ridge * weight),
      ),
    }
  }
  return model
}
