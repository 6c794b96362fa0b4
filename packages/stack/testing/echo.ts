// An app that tells the requester, and whoever reads its output, everything it was given.
import { Bytes } from '@sealdeal/protocol'

/** What `received.json` of a result holds. */
export type Received = {
  argv: string[]
  /** Contents of the input files, in the order of the request. */
  files: string[]
  /** Number -> value. */
  secrets: Record<string, string>
  /** Size of the dataset, or null. */
  dataset: number | null
}

const main = `
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const { IEXEC_IN, IEXEC_OUT, IEXEC_DATASET_FILENAME: dataset, IEXEC_INPUT_FILES_NUMBER: count, ...env } = process.env
const read = (name) => readFileSync(join(IEXEC_IN, name))
const secret = /^IEXEC_REQUESTER_SECRET_(\\d+)$/
const received = {
  argv: process.argv.slice(2),
  files: Array.from({ length: Number(count) }, (_, index) => read(env['IEXEC_INPUT_FILE_NAME_' + (index + 1)]).toString()),
  secrets: Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (secret.test(name) ? [[secret.exec(name)[1], value]] : [])),
  ),
  dataset: dataset ? read(dataset).length : null,
}
const text = JSON.stringify(received)
console.log(text)
console.error(text)
writeFileSync(join(IEXEC_OUT, 'received.json'), text)
writeFileSync(join(IEXEC_OUT, 'computed.json'), JSON.stringify({ 'deterministic-output-path': join(IEXEC_OUT, 'received.json') }))
`

/** The files of its bundle. It prints what it received to both of its outputs: they must reach nobody. */
export const echoApp = {
  'iapp.json': Bytes.fromUtf8('{"entrypoint":["node","main.mjs"]}'),
  'main.mjs': Bytes.fromUtf8(main),
}
