/** The worker's process with the test's program in the enclave's place. Everything else is as in `main.ts`. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { runProcess } from '@sealdeal/server'
import { z } from 'zod'
import { schema } from '../config.ts'
import { startWorker } from '../start.ts'
import type { Answer, Printed, Run } from '../work.ts'

const program = fileURLToPath(new URL('./enclave.ts', import.meta.url))

await runProcess({
  name: 'worker',
  schema: schema.extend({ BROKER_KEY_FILE: z.string(), TEST_ENCLAVE: z.string().optional() }),
  env: process.env,
  start: ({ config, ...lifecycle }) =>
    startWorker({ config, ...lifecycle, run: runProgram(config.BROKER_KEY_FILE, config.TEST_ENCLAVE) }),
})

function runProgram(brokerKeyFile: string, mood = ''): Run {
  return ({ lease, onStart, onStep, onPrinted, signal }) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [program, brokerKeyFile], {
        env: { TEST_ENCLAVE: mood },
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      let answer: Answer | undefined
      signal.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text) as { step: string } | { printed: Printed } | Answer
        if ('step' in line) onStep(line.step)
        else if ('printed' in line) onPrinted(line.printed)
        else {
          answer = line
          child.stdin.end()
        }
      })
      child.stdin.on('error', () => {})
      child.stdin.write(`${JSON.stringify(lease)}\n`)
      onStart()
      child.on('close', () => (answer ? resolve(answer) : reject(new Error('the enclave ended without an answer'))))
    })
}
