// A block explorer that speaks the API of Blockscout and Etherscan, and believes nothing that it has not compiled itself.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What was handed in for one address. */
export type Submission = {
  contractaddress: string
  sourceCode: string
  codeformat: string
  contractname: string
  compilerversion: string
  constructorArguments: string
}

export type Explorer = { url: string; submissions: Submission[]; asked: URL[]; stop: () => Promise<void> }

/** @param verdict - What it says of a submission after a look at it. */
export async function startExplorer({
  verdict = () => 'Pass - Verified',
}: {
  verdict?: (submission: Submission) => string
} = {}): Promise<Explorer> {
  const submissions: Submission[] = []
  const asked: URL[] = []
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://explorer')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    asked.push(url)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())) as Submission
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ status: '1', message: 'OK', result: answer(url, form) }))
  })

  function answer({ searchParams }: URL, form: Submission) {
    switch (searchParams.get('action')) {
      case 'getsourcecode': {
        const known = submissions.find(({ contractaddress }) => contractaddress === searchParams.get('address'))
        return [{ SourceCode: known?.sourceCode ?? '' }]
      }
      case 'verifysourcecode':
        submissions.push(form)
        return String(submissions.length - 1)
      case 'checkverifystatus': {
        const submission = submissions[Number(searchParams.get('guid'))]
        return submission === undefined ? 'Fail - Unable to verify' : verdict(submission)
      }
      default:
        return 'Fail - Unknown action'
    }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    submissions,
    asked,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
