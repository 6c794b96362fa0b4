/**
 * A small program in an enclave's place, for tests of the worker: it speaks the enclave's protocol on its pipes, makes its
 * own key, and signs a result. The authorization, which the secret service signs in truth, comes from the key in the file
 * named on the command line. `TEST_ENCLAVE` chooses what becomes of it.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Address, Failure, type Hex, Task } from '@sealdeal/protocol'
import { getBytes, hexlify, id, randomBytes, toUtf8Bytes, Wallet } from 'ethers'

type Launch = { dealId: Hex; index: string; worker: Address }

function say(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
const input = createInterface({ input: process.stdin })
// The worker died: so does its enclave.
input.on('close', () => process.exit(1))
input.once('line', (line) => void run(JSON.parse(line) as Launch))

async function run({ dealId, index, worker }: Launch): Promise<void> {
  const broker = new Wallet(readFileSync(process.argv[2] ?? '', 'utf8').trim())
  const enclave = new Wallet(hexlify(randomBytes(32)))
  const enclaveAddress = enclave.address as Address
  const taskId = Task.id(dealId, BigInt(index))
  const authorized = Task.authorizationHash(worker, taskId, enclaveAddress)
  const authorization = await broker.signMessage(getBytes(authorized))
  for (const step of ['measured', 'attested', 'fetched']) say({ step })
  if (process.env.TEST_ENCLAVE === 'fail') {
    const cause = 'PRE_COMPUTE_INVALID_DATASET_CHECKSUM'
    const enclaveSignature = await enclave.signMessage(getBytes(Failure.hash(worker, taskId, cause)))
    const attested = { enclaveAddress, enclaveSignature, authorization }
    return say({ failure: { cause, message: 'the bytes were changed', retryable: false, attested } })
  }
  if (process.env.TEST_ENCLAVE === 'die') process.kill(process.pid, 'SIGKILL')
  if (process.env.TEST_ENCLAVE === 'hang') return
  const resultDigest = id(hexlify(randomBytes(8))) as Hex
  const hash = Task.enclaveHash(worker, taskId, resultDigest)
  for (const step of ['computed', 'delivered']) say({ step })
  say({
    outcome: {
      resultDigest,
      results: hexlify(toUtf8Bytes('{"storage":"ipfs","location":"/ipfs/test"}')),
      resultsCallback: '0x',
      enclaveAddress,
      enclaveSignature: await enclave.signMessage(getBytes(hash)),
      authorization,
    },
  })
}
