/** A worker in miniature: launches the task on standard input, prints the steps and the answer. */
import { text } from 'node:stream/consumers'
import { launch } from '../index.ts'

const parameters = JSON.parse(await text(process.stdin))
const say = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`)
const onPrinted = (printed: unknown) => say({ printed })
say(await launch({ ...parameters, onStep: say, onPrinted, onStart: (pid) => say({ started: pid }) }))
