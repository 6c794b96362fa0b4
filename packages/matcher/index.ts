/** Tables of the matcher, for whoever opens its database. */
export const migrations = [new URL('./migrations/', import.meta.url)]

export { type Book, type Candidate, type Choice, choose } from './choose.ts'
export { createMatcher, type MatcherParameters } from './match.ts'
