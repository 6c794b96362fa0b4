// The stack as somebody starts it at a terminal: what it prints, which processes it has, which ports it holds.
import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Address } from '@sealdeal/protocol'
import { type Client, createClient } from '@sealdeal/sdk'
import { JsonRpcProvider } from 'ethers'
import { localWallets, type Role } from '../accounts.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A process, also after its number was given to another one. */
export type Mark = { pid: number; parent: number; start: string; command: string }

export type Terminal = {
  /** What was started: npm, or the stack itself. */
  pid: number
  output: () => string
  /** Waits until a text was printed. Fails when the program ends before, or never prints it. */
  printed: (text: string) => Promise<void>
  /** The exit code, or the name of the signal. */
  ended: Promise<number | NodeJS.Signals | null>
  /** Sends a signal to the whole process group, as a terminal does. */
  press: (signal: NodeJS.Signals) => void
  /** What was started and all that it started. */
  family: () => Promise<Mark[]>
}

/** The last line of a start. */
export const ready = 'Ctrl-C stops everything.'

/**
 * Runs a command in a process group of its own.
 *
 * @param temporary - TMPDIR of the command and its programs: by it everything they start can be found.
 */
export function openTerminal({
  command = [process.execPath, join(root, 'packages', 'stack', 'main.ts')],
  args = [],
  temporary,
  env = {},
  clone = root,
  user,
}: {
  command?: string[]
  args?: string[]
  temporary: string
  env?: Record<string, string>
  clone?: string
  user?: { uid: number; gid: number }
}): Terminal {
  const [program = '', ...rest] = [...command, ...args]
  const child: ChildProcess = spawn(program, rest, {
    ...user,
    cwd: clone,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: temporary, TMPDIR: temporary, ...env },
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
  let isOver = false
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('error', (error) => (output += error.message))
    child.on('close', (code, signal) => {
      isOver = true
      resolve(code ?? signal)
    })
  })
  const pid = child.pid ?? 0
  return {
    pid,
    output: () => output,
    async printed(text) {
      for (const end = Date.now() + 60_000; !output.includes(text); await sleep(20)) {
        if (isOver || Date.now() > end) throw new Error(`"${text}" was not printed, but:\n${output}`)
      }
    },
    ended,
    press: (signal) => process.kill(-pid, signal),
    family: () => family(pid),
  }
}

async function readMark(pid: number): Promise<Mark | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim()
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // What has ended and was not collected is gone for all that matters.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return { pid, parent: Number(fields[1]), start: fields[19] ?? '', command }
  } catch {
    return undefined
  }
}

async function everyProcess(): Promise<Mark[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const marks = await Promise.all(pids.map(readMark))
  return marks.filter((mark) => mark !== undefined)
}

async function family(pid: number): Promise<Mark[]> {
  const all = await everyProcess()
  const found = all.filter((mark) => mark.pid === pid)
  for (const member of found) found.push(...all.filter(({ parent }) => parent === member.pid))
  return found
}

/** Those that still run. */
async function survivors(family: Mark[]): Promise<Mark[]> {
  const now = await Promise.all(family.map(({ pid }) => readMark(pid)))
  return family.filter(({ start }, index) => now[index]?.start === start)
}

/** Processes that name the folder in their command line or their environment. */
async function marked(folder: string): Promise<Mark[]> {
  const all = await everyProcess()
  const environments = await Promise.all(all.map(({ pid }) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')))
  return all.filter(({ command }, index) => command.includes(folder) || environments[index]?.includes(folder))
}

/** Waits until nothing is left of a family, nor anything else that knows its temporary folder. Fails with what is. */
export async function untilGone({ family, temporary }: { family: Mark[]; temporary: string }, within = 8_000) {
  for (const end = Date.now() + within; ; await sleep(50)) {
    const left = [...(await survivors(family)), ...(await marked(temporary))]
    if (left.length === 0) return
    if (Date.now() > end)
      throw new Error(`still running: ${left.map(({ pid, command }) => `\n${pid} ${command}`).join('')}`)
  }
}

/** The ports that a stack has printed, and that of its database. */
export function portsOf(output: string, family: Mark[]): number[] {
  const printed = [...output.matchAll(/^ {2}\w+ +http:\/\/127\.0\.0\.1:(\d+)$/gm)].map(([, port]) => Number(port))
  const database = family.flatMap(({ command }) => command.match(/\bport=(\d+)/)?.[1] ?? [])
  return [...new Set([...printed, ...database.map(Number)])]
}

/** Whether one can listen on a port. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  await new Promise((resolve) => server.close(resolve))
  return free
}

/** A client of a stack of which one knows no more than what it printed. */
export async function clientOf(output: string, role: Role): Promise<Client> {
  const value = (name: string) => output.match(new RegExp(`^ {2}${name} +(\\S+)`, 'm'))?.[1] ?? ''
  const provider = new JsonRpcProvider(value('chain'), 31337, { staticNetwork: true, cacheTimeout: -1 })
  return createClient({
    signer: localWallets(provider)[role],
    hub: value('hub') as Address,
    dataProtector: value('dataProtector') as Address,
    endpoints: { market: value('market'), sms: value('sms'), storage: value('storage') },
    pollingInterval: 50,
  })
}
