import type { Receiver } from './receiver.ts'
import { type Progress, sum } from './run.ts'
import type { Troubles } from './troubles.ts'

/** Of each kind of violation so many are shown. */
const SHOWN = 10

/** Prints what was done and what came of it. */
export function report({
  endedInTrouble,
  progress,
  troubles,
  receiver,
  losses,
  busy,
  total,
  violations,
}: {
  /** Tasks that had ended when the last process was killed. */
  endedInTrouble: number
  progress: Progress
  troubles: Troubles
  receiver: Receiver
  /** Processes that ended although nobody killed them, by service. */
  losses: Record<string, number>
  /** Milliseconds of trouble, and until everything held. */
  busy: number
  total: number
  violations: Record<string, string[]>
}): void {
  const { history, requests, tries } = progress
  const { kills, restarts, reorgs, removed } = troubles
  const ended = (kind: string) => [...history.ends.values()].filter((end) => end.kind === kind).length
  const here = new Set(history.deals.map(({ dealId }) => dealId))
  const again = [...removed.keys()].filter((dealId) => here.has(dealId)).length
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none'
  const { requests: posts, repeated, failed, undone } = receiver.seen
  const rows: [string, string][] = [
    ['kills -9', `${sum(kills)} (${list(kills)})`],
    ['ended by themselves, started again', list(losses)],
    ['PostgreSQL restarted', restarts.map(({ how, ms }) => `${how} ${ms} ms`).join(', ') || 'never'],
    [
      'reorganisations',
      `${reorgs.length}: ${reorgs.map(({ depth, removed, closed }) => `${depth} deep -${removed}${closed ? ' revoked' : ''}`).join(', ')}`,
    ],
    ['requests published', `${requests.size} in ${tries} tries`],
    ['deals', `${history.deals.length}, of which by a reorganisation removed and matched again ${again}`],
    ['deals removed and absent', `${removed.size - again} (requests revoked: ${history.closings.size})`],
    [
      'tasks',
      `${ended('task.completed')} completed, ${ended('task.claimed')} refunded; ${endedInTrouble} of them in the middle of it`,
    ],
    ['webhooks', `${posts} posts, ${repeated} repeated ids, ${failed} refused by receivers, ${undone} taken back`],
    ['duration', `${(busy / 1_000).toFixed(0)} s of trouble, ${(total / 1_000).toFixed(0)} s until all held`],
  ]
  console.log('')
  for (const [name, value] of rows) console.log(`${name.padEnd(36)} ${value}`)
  for (const [name, found] of Object.entries(violations)) {
    console.log(`\nVIOLATED: ${name} (${found.length})`)
    for (const each of found.slice(0, SHOWN)) console.log(`  ${each}`)
  }
  console.log(Object.keys(violations).length === 0 ? '\nEverything holds.' : '')
}
