// Run by lifecycle.test.ts as a process of its own: a main that prints when it starts and when it closes.
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { commonVariables } from '../config.ts'
import { runProcess } from '../lifecycle.ts'

await runProcess({
  name: 'holder',
  schema: z.object({ ...commonVariables, HANG: z.string().optional(), BREAK: z.string().optional() }),
  env: process.env,
  async start({ config, onClose }) {
    if (config.BREAK) throw new Error('broken on purpose')
    const alive = setInterval(() => {}, 1_000)
    onClose(async () => {
      clearInterval(alive)
      if (config.HANG) await sleep(60_000)
      process.stdout.write('first opened, last closed\n')
    })
    onClose(() => process.stdout.write('last opened, first closed\n'))
    process.stdout.write('started\n')
  },
})
