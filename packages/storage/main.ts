import { runProcess } from '@sealdeal/server'
import { schema } from './config.ts'
import { startStorage } from './start.ts'

await runProcess({ name: 'storage', schema, env: process.env, start: startStorage })
