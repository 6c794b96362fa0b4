// `node scripts/prove/main.ts proofs/Shares.sol`: what became of one proof, as JSON. A process of its own, for the compiler
// thinks without a pause.
import { check } from './check.ts'

const [path = '', claims] = process.argv.slice(2)
console.log(JSON.stringify(check(path, { claims: claims === 'false' ? 'false' : 'written' })))
