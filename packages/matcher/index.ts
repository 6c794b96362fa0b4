/** Tables of the matcher, for whoever opens its database. */
export const migrations = [new URL('./migrations/', import.meta.url)]

export { createMatcher, type MatcherParameters } from './match.ts'
