import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { expect } from 'chai'
import { isError } from 'ethers'
import { skipWithoutAnvil, startAnvil } from '../../test/deploy/anvil.ts'
import { connectChain } from './chain.ts'
import { overHttp } from './transport.ts'

const question = { jsonrpc: '2.0' as const, id: 1, method: 'eth_chainId', params: [] }

describe('the way to a node', function () {
  this.timeout(60_000)
  const servers: Server[] = []
  after(() => {
    for (const server of servers) server.close()
  })
  /** A node that answers what it is told to, one answer after the other. */
  async function node(...answers: { status: number; body: string }[]): Promise<string> {
    const server = createServer((_request, response) => {
      const { status, body } = (answers.length > 1 ? answers.shift() : answers[0]) ?? { status: 500, body: '' }
      response.writeHead(status).end(body)
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const answer = JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x1' })

  it('asks again a node that wants us to slow down', async () => {
    const url = await node({ status: 429, body: 'slow down' }, { status: 200, body: answer })
    expect(await overHttp(url).send(question)).to.deep.equal([JSON.parse(answer)])
  })

  it('takes a refusal that comes with a status of its own', async () => {
    const refusal = { jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'too many logs' } }
    const url = await node({ status: 400, body: JSON.stringify(refusal) })
    expect(await overHttp(url).send(question)).to.deep.equal([refusal])
  })

  it('tells a node that failed from one that is not there', async () => {
    const url = await node({ status: 502, body: '<html>' })
    const failed = await overHttp(url)
      .send(question)
      .catch((error: Error) => error)
    expect(isError(failed, 'SERVER_ERROR')).to.equal(true)
    const gone = await overHttp('http://127.0.0.1:9')
      .send(question)
      .catch((error: Error) => error)
    expect(isError(gone, 'NETWORK_ERROR')).to.equal(true)
  })

  it('opens a socket anew that was lost with the node', async function () {
    skipWithoutAnvil(this)
    const anvil = await startAnvil()
    // Between us and the node: cuts the line in the middle of the next question when it is told to.
    let cut = false
    const between = createTcpServer((socket) => {
      const onward = connect(Number(new URL(anvil.url).port), '127.0.0.1')
      const hangUp = () => [socket, onward].map((end) => end.destroy())
      for (const each of [socket, onward]) each.on('error', hangUp).on('close', hangUp)
      onward.pipe(socket)
      socket.on('data', (chunk) => {
        if (!cut) return onward.write(chunk)
        cut = false
        return hangUp()
      })
    })
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve))
    const { provider } = await connectChain({ url: `ws://127.0.0.1:${(between.address() as AddressInfo).port}` })
    expect(await provider.getBlockNumber()).to.equal(0)
    cut = true
    const lost = await provider.send('evm_mine', []).catch((error: Error) => error)
    expect(isError(lost, 'NETWORK_ERROR'), String(lost)).to.equal(true)
    expect(await provider.send('eth_chainId', [])).to.equal('0x66eee')
    provider.destroy()
    between.close()
    await anvil.stop()
  })
})
