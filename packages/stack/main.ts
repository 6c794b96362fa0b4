// `npm run stack`: everything on this machine until Ctrl-C.
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { BaseError } from '@sealdeal/protocol'
import { formatUnits } from 'ethers'
import { type Stack, startStack } from './stack.ts'

const usage = `Usage: npm run stack -- [options]

  --chain-id N       chain id of the local chain (31337)
  --directory PATH   where logs, keys, blobs and the database lie (.data/stack)
  --wipe             begin with empty databases
  --no-sandbox       run apps without a sandbox; the enclave prints which promises fall

DATABASE_URL names a PostgreSQL server to use in place of the embedded one.`

const clone = fileURLToPath(new URL('../..', import.meta.url))

class ArgumentsError extends BaseError {
  override name = 'ArgumentsError'
  constructor(reason: string) {
    super(reason, { metaMessages: ['', ...usage.split('\n')] })
  }
}

function readArguments() {
  const values = parse()
  if (!/^[1-9]\d{0,15}$/.test(values['chain-id']) || !Number.isSafeInteger(Number(values['chain-id'])))
    throw new ArgumentsError(`--chain-id must be a whole number above zero, not "${values['chain-id']}".`)
  if (values.directory === '') throw new ArgumentsError('--directory must name a folder.')
  return values
}

function parse() {
  try {
    return parseArgs({
      options: {
        'chain-id': { type: 'string', default: '31337' },
        directory: { type: 'string', default: join(clone, '.data', 'stack') },
        wipe: { type: 'boolean', default: false },
        'no-sandbox': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new ArgumentsError(error instanceof Error ? error.message : String(error))
  }
}

/** What is wrong, in words: a stack trace is for what nobody foresaw. */
function describe(error: unknown): unknown {
  if (error instanceof BaseError) return error.message
  const { code, path, message } = error as NodeJS.ErrnoException
  return code && path ? `${message}\nAnother folder can be named: --directory PATH.` : error
}

async function show({ endpoints, deployment, wallets, provider, directory }: Stack): Promise<void> {
  console.log('\nServices')
  for (const [name, url] of Object.entries(endpoints)) console.log(`  ${name.padEnd(12)} ${url}`)
  console.log('\nContracts')
  for (const [name, address] of Object.entries(deployment)) console.log(`  ${name.padEnd(20)} ${address}`)
  console.log('\nAccounts (keys of the public test phrase: worth nothing anywhere else)')
  for (const [role, { address }] of Object.entries(wallets)) {
    console.log(`  ${role.padEnd(12)} ${address}  ${formatUnits(await provider.getBalance(address)).slice(0, 8)} ETH`)
  }
  console.log(`\nLogs: ${join(directory, 'logs')}. Enclaves are SIMULATED. Ctrl-C stops everything.`)
}

// To be asked twice (the terminal tells a whole process group, and npm tells its script again) is to be asked once.
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
// Nobody reads what is printed any more: nobody is there.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stopping.abort())

let isReady = false
try {
  const values = readArguments()
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const stack = await startStack({
    directory: values.directory,
    chainId: BigInt(values['chain-id']),
    databaseUrl: process.env.DATABASE_URL,
    wipe: values.wipe,
    sandbox: values['no-sandbox'] ? 'none' : 'auto',
    signal: stopping.signal,
    onProgress: (done) => console.log(`- ${done}`),
    onLost({ name, logFile }) {
      console.error(`\n! "${name}" has ended although nobody asked it to. Its log: ${logFile}`)
      if (name !== 'chain') return
      console.error('  Without its chain a stack is nothing.')
      process.exitCode = 1
      stopping.abort()
    },
  })
  isReady = true
  await show(stack).catch((error: unknown) => stopping.signal.aborted || Promise.reject(error))
  if (!stopping.signal.aborted) await once(stopping.signal, 'abort')
  console.log('\nStopping...')
  await stack.stop()
  console.log('Stopped.')
  process.exit()
} catch (error) {
  if (stopping.signal.aborted && !isReady) {
    console.log('\nStopped before it was ready.')
    process.exit(130)
  }
  console.error(describe(error))
  process.exit(1)
}
