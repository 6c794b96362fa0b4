import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run.ts'
import type { Figures } from './measure.ts'

const path = 'test/gas/snapshot.json'

export const howToUpdate =
  'If it is meant, write the figures anew and look at the difference: `UPDATE_GAS=1 npm run hardhat -- test mocha ' +
  'test/gas/snapshot.test.ts`, then `npm run bench:gas`.'

/** What each of our scenarios cost when that was last looked at. */
export function readSnapshot(): Figures {
  return existsSync(join(root, path)) ? JSON.parse(readFileSync(join(root, path), 'utf8')) : {}
}

export function writeSnapshot(figures: Figures): void {
  writeFileSync(join(root, path), `${JSON.stringify(figures, null, 2)}\n`)
}

/** In which figures two lists differ, in words. */
export function differences(before: Figures, after: Figures): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => `"${name}": ${change(before[name], after[name])}`)
}

function change(old: number | undefined, now: number | undefined): string {
  if (old === undefined) return `costs ${now} gas and is not in ${path}`
  if (now === undefined) return `is in ${path} with ${old} gas, but is not measured any more`
  return `costs ${now} gas, not ${old} (${now > old ? '+' : ''}${now - old})`
}
