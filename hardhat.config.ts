import { createRequire } from 'node:module'
import toolbox from '@nomicfoundation/hardhat-toolbox-mocha-ethers'
import { configVariable, defineConfig } from 'hardhat/config'
import { fuzzRuns } from './scripts/prove/runs.ts'
import { typescriptEndings } from './scripts/typechain.ts'

const solcPath = createRequire(import.meta.url).resolve('solc/soljson.js')

export default defineConfig({
  plugins: [toolbox, typescriptEndings],
  paths: { ignition: 'deploy', tests: { mocha: 'test', solidity: 'test' } },
  solidity: {
    version: '0.8.37',
    path: solcPath,
    settings: {
      viaIR: true,
      optimizer: { enabled: true, runs: 1000 },
      evmVersion: 'cancun',
      metadata: { bytecodeHash: 'none' },
      outputSelection: { '*': { '*': ['storageLayout'] } },
    },
  },
  test: {
    solidity: {
      fuzz: { runs: Number(process.env.FUZZ_RUNS ?? fuzzRuns.short) },
      // On each Hub in every run of the tests; `npm run test:deep` goes on for a million calls.
      invariant: { runs: 1, depth: 2000, failOnRevert: true },
    },
  },
  typechain: { outDir: 'typechain-types' },
  verify: { etherscan: { apiKey: configVariable('ETHERSCAN_API_KEY', { default: '' }) } },
  networks: {
    hardhat: { type: 'edr-simulated', chainType: 'l1' },
    localhost: { type: 'http', chainType: 'l1', url: 'http://127.0.0.1:8545' },
    arbitrumSepolia: {
      type: 'http',
      chainType: 'l1',
      chainId: 421614,
      url: configVariable('ARBITRUM_SEPOLIA_URL'),
      accounts: [configVariable('DEPLOYER_KEY')],
    },
  },
})
