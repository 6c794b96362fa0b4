import { runProcess } from '@sealdeal/server'
import { schema } from './config.ts'
import { startMatcher } from './start.ts'

await runProcess({ name: 'matcher', schema, env: process.env, start: startMatcher })
