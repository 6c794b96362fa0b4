export { createMatcher, type MatcherParameters, type Sponsor } from './match.ts'
export { createMeters } from './meters.ts'
export { migrations } from './start.ts'
