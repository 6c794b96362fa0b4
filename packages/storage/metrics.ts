import { Counter, type Database, Gauge, Registry } from '@sealdeal/server'
import type { Collected } from './collection.ts'

/** What the ledger tells Prometheus. Sums are asked of the database at each reading. */
export function createMetrics(database: Database) {
  const registry = new Registry()
  const registers = [registry]
  const bytes = new Gauge({
    name: 'storage_pinned_bytes',
    help: 'Bytes of all pins, each counted for itself',
    registers,
  })
  new Gauge({
    name: 'storage_pins',
    help: 'Files and folders that accounts keep',
    registers,
    async collect() {
      const [row] = await database.query<{ pins: bigint; bytes: bigint }>(
        'select count(*) as pins, coalesce(sum(bytes), 0) as bytes from pin',
      )
      this.set(Number(row?.pins ?? 0n))
      bytes.set(Number(row?.bytes ?? 0n))
    },
  })
  const blocks = new Counter({ name: 'storage_collected_blocks_total', help: 'Blocks removed here', registers })
  const freed = new Counter({
    name: 'storage_collected_bytes_total',
    help: 'Bytes of the blocks removed here',
    registers,
  })
  function collected(what: Collected): void {
    blocks.inc(what.blocks)
    freed.inc(what.bytes)
  }
  return { registry, collected }
}
