// The chain's process: Hardhat's node, in memory, which mines each transaction at once. It says one line when it listens,
// and ends with its standard input, so that it cannot outlive whoever started it.
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'

const { values } = parseArgs({ options: { port: { type: 'string' }, 'chain-id': { type: 'string' } } })

// None of the plugins that the repository's own configuration loads: a chain needs none, and starts in a third of the time.
const { network } = await createHardhatRuntimeEnvironment({})
const override = {
  chainId: Number(values['chain-id'] ?? 31337),
  // As other nodes estimate: a callback that uses up what the Hub gives it is its own affair.
  gasEstimationMode: 'topLevelSuccess' as const,
}
const server = await network.createServer(
  { network: 'node', chainType: 'l1', override },
  '127.0.0.1',
  Number(values.port ?? 0),
)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => process.exit(0))
process.stdin.on('end', () => process.exit(0))
process.stdin.on('error', () => process.exit(0))
process.stdin.resume()

const { address, port } = await server.listen()
const { version } = createRequire(import.meta.url)('hardhat/package.json')
console.log(
  JSON.stringify({ pid: process.pid, name: 'chain', url: `http://${address}:${port}`, version, msg: 'listening' }),
)
