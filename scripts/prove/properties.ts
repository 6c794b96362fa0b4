// The properties of test/proofs, as often as FUZZ_RUNS says: `npm run test:deep -- properties`.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from '../run.ts'

const folder = join('test', 'proofs')
const files = readdirSync(join(root, folder)).filter((name) => name.endsWith('.t.sol'))
const { code } = await run('hardhat', ['test', 'solidity', ...files.map((name) => join(folder, name))], { show: true })
process.exitCode = code
