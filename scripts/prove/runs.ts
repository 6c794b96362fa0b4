/** How often a property is tried with random numbers: in `npm test`, and in `npm run test:deep`. */
export const fuzzRuns = { short: 1_000, deep: 100_000 }
