import type { Address } from '@sealdeal/protocol'
import { Counter, type Database, Gauge, Histogram, Registry } from '@sealdeal/server'
import { readSpent } from './spending.ts'

/** What Prometheus is told of a matcher, beside its transactions. */
export function createMeters() {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    open: new Gauge({ name: 'matcher_requests_open', help: 'Open request orders at the last look', registers }),
    matches: new Counter({
      name: 'matcher_matches_total',
      help: 'Matches whose outcome this replica wrote down',
      labelNames: ['outcome', 'payer'],
      registers,
    }),
    postponed: new Counter({
      name: 'matcher_postponed_total',
      help: 'Looks at a request that made no deal',
      registers,
    }),
    choosing: new Histogram({
      name: 'matcher_choose_seconds',
      help: 'Time to choose the cheapest orders of a book that was read',
      buckets: [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
      registers,
    }),
  }
}

export type Meters = ReturnType<typeof createMeters>

/** What the sponsor has spent, asked of the database when somebody reads the metrics: replicas tell the same. */
export function meterSpending({ registry }: Meters, { database, by }: { database: Database; by: Address }): void {
  new Gauge({
    name: 'matcher_sponsored_nrlc',
    help: 'What the sponsor spent, matches under way at their most',
    labelNames: ['window'],
    registers: [registry],
    async collect() {
      const { day, total } = await readSpent(database, by)
      this.set({ window: 'day' }, Number(day))
      this.set({ window: 'total' }, Number(total))
    },
  })
}
