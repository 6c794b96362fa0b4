import { assets } from './assets.ts'
import { bulk } from './bulk.ts'
import { consensus } from './consensus.ts'
import { deals } from './deals.ts'
import { escrow } from './escrow.ts'
import type { Scenario } from './scenario.ts'
import { settling } from './settle.ts'
import { tasks } from './tasks.ts'

export const scenarios: Scenario[] = [...deals, ...tasks, ...settling, ...consensus, ...bulk, ...escrow, ...assets]
