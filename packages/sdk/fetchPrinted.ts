import { type Address, type Hex, InvalidValueError, Printed } from '@sealdeal/protocol'
import { getAddress } from 'ethers'
import type { Client } from './client.ts'
import { WorkerpoolUnknownError } from './errors.ts'
import { call, callJson } from './http.ts'
import { signRequest } from './signRequest.ts'
import { readTask } from './waitForTask.ts'

export type FetchPrintedParameters = {
  taskId: Hex
  /** PEM of the pair whose public half was the beneficiary's when the task ran. */
  privateKey: string
}

/** What one attempt of a worker printed, of each stream the last 256 KiB. Bytes that are no UTF-8 show as U+FFFD. */
export type PrintedOutput = { worker: Address; stdout: string; stderr: string }

/**
 * What the app of a task printed, one entry per attempt that ran to its end, well or not. The account must be the
 * requester of the deal; the workerpool that kept it cannot read it.
 *
 * The text is the app's: it may hold control characters of terminals.
 *
 * @throws ServiceRefusedError (404: nothing is kept, 403: another account's task), WorkerpoolUnknownError,
 * ResultKeyError when the key is another one.
 */
export async function fetchPrinted(
  client: Client,
  { taskId, privateKey }: FetchPrintedParameters,
): Promise<PrintedOutput[]> {
  const scheduler = client.endpoints.scheduler ?? (await findScheduler(client, taskId))
  const at = { ...client, endpoints: { ...client.endpoints, scheduler } }
  const request = { service: 'scheduler', path: `/tasks/${taskId}/logs` } as const
  const authorization = await signRequest(at, request)
  const { computeLogsList: list } = await callJson(at, { ...request, headers: { authorization } })
  if (!Array.isArray(list)) throw new InvalidValueError({ path: 'scheduler.logs', expected: 'a list', value: list })
  const read = async (sealed: unknown) => new TextDecoder().decode(await Printed.open(String(sealed), { privateKey }))
  return Promise.all(
    list.map(async ({ walletAddress, stdout, stderr }) => ({
      worker: getAddress(walletAddress) as Address,
      stdout: await read(stdout),
      stderr: await read(stderr),
    })),
  )
}

/** Where the workerpool of the task's deal is reached, as its owner told the market. */
async function findScheduler(client: Client, taskId: Hex): Promise<string> {
  const { dealId } = await readTask(client, { taskId })
  const { workerpool } = await client.contracts.hub.viewDeal(dealId)
  const place = getAddress(workerpool.pointer) as Address
  const path = `/${client.chainId}/workerpools/${place}`
  const response = await call(client, { service: 'market', path, expect: [404] })
  const { apiUrl } = (await response.json().catch(() => ({}))) as { apiUrl?: unknown }
  if (!response.ok || typeof apiUrl !== 'string' || !URL.canParse(apiUrl)) {
    throw new WorkerpoolUnknownError({ workerpool: place })
  }
  return apiUrl
}
