// One stack for all end-to-end tests of a run: starting one takes seconds, and users share one too.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@sealdeal/sdk'
import type { Role } from '../accounts.ts'
import { type Stack, type StackParameters, startStack } from '../stack.ts'

let shared: Promise<Stack> | undefined
const folders: string[] = []

/** The stack of this test run, started when first asked for. Do not move its clock: start another one for that. */
export function sharedStack(): Promise<Stack> {
  shared ??= temporaryStack()
  return shared
}

/** A stack of its own, for tests that stop, kill, or move the clock. Stop it. */
export async function temporaryStack(parameters: Partial<StackParameters> = {}): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), `sealdeal-stack-${randomUUID().slice(0, 8)}-`))
  folders.push(directory)
  return startStack({ directory, temporary: true, ...parameters })
}

/** A client for one of the stack's people. */
export function actAs({ endpoints, deployment, wallets }: Stack, role: Role): Promise<Client> {
  const { hub, dataProtector } = deployment
  return createClient({ signer: wallets[role], hub, dataProtector, endpoints, pollingInterval: 50 })
}

/** Mocha root hooks: loaded with `--require`. */
export const mochaHooks = {
  async afterAll() {
    await (await shared?.catch(() => undefined))?.stop()
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  },
}
