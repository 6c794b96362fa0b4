// `npm run stack`: everything on this machine until Ctrl-C.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { BaseError } from '@sealdeal/protocol'
import { formatUnits } from 'ethers'
import { startStack } from './stack.ts'

const usage = `Usage: npm run stack -- [options]

  --chain-id N       chain id of the local chain (31337)
  --directory PATH   where logs, keys, blobs and the database lie (.data/stack)
  --wipe             begin with empty databases
  --no-sandbox       run apps without a sandbox; the enclave prints which promises fall

DATABASE_URL names a PostgreSQL server to use in place of the embedded one.`

const clone = fileURLToPath(new URL('../..', import.meta.url))

function readArguments() {
  const { values } = parseArgs({
    options: {
      'chain-id': { type: 'string', default: '31337' },
      directory: { type: 'string', default: join(clone, '.data', 'stack') },
      wipe: { type: 'boolean', default: false },
      'no-sandbox': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (!/^[1-9]\d{0,15}$/.test(values['chain-id']))
    throw new TypeError(`--chain-id must be a positive number, not "${values['chain-id']}"`)
  return values
}

try {
  const values = readArguments()
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  const stack = await startStack({
    directory: values.directory,
    chainId: BigInt(values['chain-id']),
    databaseUrl: process.env.DATABASE_URL,
    wipe: values.wipe,
    sandbox: values['no-sandbox'] ? 'none' : 'auto',
    onProgress: (done) => console.log(`- ${done}`),
  })
  console.log('\nServices')
  for (const [name, url] of Object.entries(stack.endpoints)) console.log(`  ${name.padEnd(12)} ${url}`)
  console.log('\nContracts')
  for (const [name, address] of Object.entries(stack.deployment)) console.log(`  ${name.padEnd(20)} ${address}`)
  console.log('\nAccounts (keys of the public test phrase: worth nothing anywhere else)')
  for (const [role, { address }] of Object.entries(stack.wallets)) {
    console.log(
      `  ${role.padEnd(12)} ${address}  ${formatUnits(await stack.provider.getBalance(address)).slice(0, 8)} ETH`,
    )
  }
  console.log(`\nLogs: ${join(stack.directory, 'logs')}. Enclaves are SIMULATED. Ctrl-C stops everything.`)
  if (!stopping.signal.aborted) await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve))
  console.log('\nStopping...')
  await stack.stop()
  process.exit(0)
} catch (error) {
  console.error(error instanceof BaseError || error instanceof TypeError ? error.message : error)
  process.exit(1)
}
