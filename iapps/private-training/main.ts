import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readDatasets } from './datasets.ts'
import { InputError } from './errors.ts'
import { readSettings } from './settings.ts'
import { study } from './study.ts'

function main(): void {
  const out = process.env.IEXEC_OUT
  if (!out) throw new InputError('The environment has no IEXEC_OUT: this app runs inside an enclave task.')
  const settings = readSettings(process.argv.slice(2))
  const { datasets, records } = readDatasets(process.env)
  const { model, metrics } = study({ records, settings })
  const write = (name: string, value: unknown) => writeFileSync(join(out, name), `${JSON.stringify(value, null, 2)}\n`)
  write('model.json', model)
  write('metrics.json', { ...metrics, datasets })
  // Last: with this file the task counts as computed.
  write('computed.json', { 'deterministic-output-path': out })
}

try {
  main()
} catch (error) {
  // The name and message only: what caused them may quote the input.
  console.error(
    error instanceof InputError ? error.message : `Unexpected ${error instanceof Error ? error.name : 'failure'}.`,
  )
  process.exitCode = 1
}
