import { Counter, type Database, Gauge, Registry } from '@sealdeal/server'

/** What the service tells Prometheus beside its requests. Depths of the outbox are asked of the database at each reading. */
export function createMetrics(database: Database) {
  const registry = new Registry()
  const attempts = new Counter({
    name: 'callbacks_attempts_total',
    help: 'Attempts to deliver, by what came of them',
    labelNames: ['outcome'],
    registers: [registry],
  })
  new Gauge({
    name: 'callbacks_deliveries',
    help: 'Deliveries in the outbox that wait, and that are parked',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const rows = await database.query<{ state: string; count: bigint }>(
        `select state, count(delivery.state) as count from unnest(array['waiting', 'parked']) as wanted (state)
         left join delivery using (state) group by state`,
      )
      for (const { state, count } of rows) this.set({ state }, Number(count))
    },
  })
  new Gauge({
    name: 'callbacks_oldest_waiting_seconds',
    help: 'Age of the oldest delivery that waits',
    registers: [registry],
    async collect() {
      const [row] = await database.query<{ age: number }>(
        `select coalesce(extract(epoch from now() - min(created_at)), 0)::float as age from delivery where state = 'waiting'`,
      )
      this.set(row?.age ?? 0)
    },
  })
  const relays = new Counter({
    name: 'callbacks_relays_total',
    help: 'Tries to deliver results on chain, by what came of them',
    labelNames: ['outcome'],
    registers: [registry],
  })
  const count = (counter: Counter<'outcome'>) => (outcome: string) => counter.inc({ outcome })
  return { registry, attempted: count(attempts), tried: count(relays) }
}
