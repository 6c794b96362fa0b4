import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

/** Each option but `sleep` makes the app break one rule of the output contract, or try what a sandbox must prevent. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    exit: { type: 'string' },
    'no-computed': { type: 'boolean' },
    'long-name': { type: 'boolean' },
    'missing-output': { type: 'boolean' },
    'callback-data': { type: 'string' },
    leak: { type: 'boolean' },
    connect: { type: 'string' },
    sleep: { type: 'string' },
  },
})

const { IEXEC_IN: input = '', IEXEC_OUT: out, IEXEC_DATASET_FILENAME: dataset } = process.env
if (out === undefined) throw new Error('The environment has no IEXEC_OUT: this app runs inside a task.')

/** Whether a connection to `host:port` can be opened: inside an enclave it cannot. */
async function canConnect(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`)
  const socket = connect({ host: hostname, port: Number(port), timeout: 2000 })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket
    .once('connect', () => resolve(true))
    .once('error', () => resolve(false))
    .once('timeout', () => resolve(false))
  const isOpen = await promise
  socket.destroy()
  return isOpen
}

const lines = [`Hello, ${positionals.join(' ') || 'world'}!`]
if (dataset) {
  lines.push(`The dataset has ${statSync(join(input, dataset)).size} bytes.`)
  if (values.leak) console.log(readFileSync(join(input, dataset), 'latin1'))
}
if (values.connect)
  lines.push(`A connection to ${values.connect} is ${(await canConnect(values.connect)) ? 'open' : 'refused'}.`)
if (values.sleep) await sleep(Number(values.sleep) * 1000)

const name = values['long-name'] ? 'a-name-of-more-than-thirty-one-characters.txt' : 'result.txt'
writeFileSync(join(out, name), `${lines.join('\n')}\n`)
const result = values['missing-output'] ? 'not-there.txt' : name
const computed = values['callback-data']
  ? { 'callback-data': values['callback-data'] }
  : { 'deterministic-output-path': join(out, result) }
if (!values['no-computed']) writeFileSync(join(out, 'computed.json'), JSON.stringify(computed))
process.exitCode = Number(values.exit ?? 0)
