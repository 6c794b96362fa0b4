import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { choosePorts } from '../../packages/stack/ports.ts'
import type { ServiceName } from '../../packages/stack/programs.ts'
import { programs, type Stack, startStack } from '../../packages/stack/stack.ts'
import { podman } from './podman.ts'

/** The user of the images. */
const user = 1_000

/** What a program of the stack is told and a container is not: the stack holds its programs by a pipe. */
const ofTheStack = /^(PATH|HOME|USER|LANG|LC_ALL|TZ|TMPDIR|EXIT_ON_STDIN_EOF|NODE_COMPILE_CACHE|HOST|PORT|SANDBOX)=/

/** Starts a stack, and of each service a container as a further replica: same PostgreSQL, same chain, same keys. */
export async function tryImages(services: string[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sealdeal-images-'))
  const stack = await startStack({ directory: join(directory, 'stack'), temporary: true })
  try {
    const files = join(directory, 'files')
    for (const name of ['keys', 'simulator'])
      cpSync(join(stack.directory, name), join(files, name), { recursive: true })
    for (const name of ['storage', 'worker']) mkdirSync(join(files, name))
    giveAway(files)
    for (const service of services) {
      const name = programs.find((each) => each === service && each !== 'chain')
      if (name) await tryImage({ stack, name: name as ServiceName, files })
      else console.log(`${service}: not part of the stack, its image was not started`)
    }
  } finally {
    await stack.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** As Kubernetes mounts secrets: they are root's, and the group of the image's user may read them. */
function giveAway(path: string): void {
  chownSync(path, user, user)
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const each = join(entry.parentPath, entry.name)
    chownSync(each, entry.isFile() ? 0 : user, user)
    if (entry.isFile()) chmodSync(each, 0o440)
  }
}

async function tryImage({ stack, name, files }: { stack: Stack; name: ServiceName; files: string }): Promise<void> {
  const [port = 0] = await choosePorts(1)
  const environment = readFileSync(`/proc/${stack.process(name).pid}/environ`, 'utf8').split('\0')
  const told = environment.filter((line) => line !== '' && !ofTheStack.test(line))
  // In a file: the URL of the database has a password, and command lines are seen by everybody.
  const file = join(files, `${name}.env`)
  writeFileSync(file, [...told, `PORT=${port}`, 'SANDBOX=none', ''].join('\n'), { mode: 0o600 })
  const mounts = ['--read-only', '--tmpfs', '/tmp', '--volume', `${files}:${stack.directory}`]
  const since = performance.now()
  const id = await podman([
    ...['run', '--detach', '--network', 'host', '--cap-drop', 'all', '--env-file', file, ...mounts],
    `localhost/sealdeal-${name}`,
  ])
  try {
    const health = await untilReady({ url: `http://127.0.0.1:${port}`, id })
    const seconds = ((performance.now() - since) / 1_000).toFixed(1)
    const stopping = performance.now()
    await podman(['stop', '--time', '10', id])
    const code = await podman(['inspect', '--format', '{{.State.ExitCode}}', id])
    const stopped = ((performance.now() - stopping) / 1_000).toFixed(1)
    console.log(
      `${name}: /health says ${health}, ready after ${seconds} s, exit code ${code} ${stopped} s after SIGTERM`,
    )
  } finally {
    await podman(['rm', '--force', id])
  }
}

/** Answers what `/health` said. */
async function untilReady({ url, id }: { url: string; id: string }): Promise<string> {
  for (const deadline = Date.now() + 60_000; ; await sleep(100)) {
    const ready = await fetch(`${url}/ready`).catch(() => undefined)
    if (ready?.ok) return (await fetch(`${url}/health`)).text()
    const isRunning = (await podman(['inspect', '--format', '{{.State.Running}}', id])) === 'true'
    if (isRunning && Date.now() < deadline) continue
    throw new Error(`not ready: ${(await ready?.text()) ?? 'no answer'}\n${await podman(['logs', '--tail', '15', id])}`)
  }
}
