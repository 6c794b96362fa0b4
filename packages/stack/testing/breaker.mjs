// An app that breaks one rule of the output contract, which its first argument names.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const out = process.env.IEXEC_OUT
const result = join(out, 'result.txt')
const declare = (computed) => writeFileSync(join(out, 'computed.json'), computed)

writeFileSync(result, 'a result\n')
declare(JSON.stringify({ 'deterministic-output-path': result }))

const rules = {
  malformed: () => declare('{'),
  outside: () => declare(JSON.stringify({ 'deterministic-output-path': '/etc/passwd' })),
  link: () => symlinkSync(result, join(out, 'link')),
  name: () => writeFileSync(join(out, 'two\nlines'), ''),
  many: () => {
    for (let index = 0; index <= 10_000; index++) mkdirSync(join(out, String(index)))
  },
}
rules[process.argv[2]]()
