import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { expect } from 'chai'
import { send } from './send.ts'
import { checkTarget, isPublic, publicLookup } from './targets.ts'

describe('receivers', () => {
  const reason = (url: string, allowPrivate = false) => {
    try {
      return checkTarget(url, { allowPrivate }).host
    } catch (error) {
      return (error as Error).message.split('\n')[0]
    }
  }

  it('are taken by https at a name or a public address', () => {
    for (const url of ['https://example.org/hook?x=1', 'https://8.8.8.8:8443/', 'https://[2606:4700::1111]/']) {
      expect(reason(url)).to.equal(new URL(url).host)
    }
  })
  it('are refused at addresses that are not public, however they are written', () => {
    const hosts = ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0']
    const odd = ['2130706433', '0x7f.1', '0177.0.0.1', '127.1', '255.255.255.255', '224.0.0.1', '198.18.0.1']
    const six = ['[::1]', '[::]', '[fe80::1]', '[fd00::1]', '[::ffff:10.0.0.1]', '[64:ff9b::a00:1]', '[2002:7f00:1::]']
    const tunnels = ['[2001::1]', '[2001:db8::1]', '[ff02::1]', '[::127.0.0.1]', '[3fff::1]']
    for (const host of [...hosts, ...odd, ...six, ...tunnels]) {
      expect(reason(`https://${host}/`), host).to.contain('not a public address')
      expect(reason(`https://${host}/`, true), host).to.equal(new URL(`https://${host}/`).host)
    }
  })
  it('are refused without TLS, with a password, and when they are no URL', () => {
    expect(reason('http://example.org/')).to.contain('not https')
    expect(reason('https://a:b@example.org/')).to.contain('password')
    for (const url of ['file:///etc/passwd', 'ftp://example.org', 'javascript:1']) {
      expect(reason(url, true)).to.contain('not https')
    }
    expect(reason('nonsense')).to.contain('no URL')
  })
  it('knows what is public', () => {
    expect(['1.1.1.1', '2606:4700::1111', '172.32.0.1', '100.128.0.1'].map(isPublic)).to.deep.equal(Array(4).fill(true))
    expect(['', 'localhost', '1.1.1', '::ffff:1.1.1.1'].map(isPublic)).to.deep.equal(Array(4).fill(false))
  })

  /** What the lookup says of a name, asked as connections ask. */
  const look = (host: string, all: boolean) =>
    new Promise<string>((resolve) =>
      (publicLookup as LookupFunction)(host, { all }, (error, found) =>
        resolve(error ? error.message.split('\n')[0] || error.message : JSON.stringify(found)),
      ),
    )

  it('are refused at the connection when their name leads to this machine', async () => {
    expect(await look('localhost', true)).to.contain('not public')
    expect(await look('localhost', false)).to.contain('not public')

    const server = createServer((_, response) => response.end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    let connections = 0
    server.on('connection', () => connections++)
    const { port } = server.address() as AddressInfo
    const sending = { body: '{}', headers: {}, timeout: 5_000, signal: new AbortController().signal }
    const refused = await send({ ...sending, url: `https://localhost:${port}/`, allowPrivate: false })
    expect(refused).to.have.property('failure').that.contains('not public')
    expect(connections).to.equal(0)
    expect(await send({ ...sending, url: `http://localhost:${port}/`, allowPrivate: true })).to.deep.equal({
      delivered: true,
    })
    server.closeAllConnections()
    server.close()
  })
  it('are given so much time and no more', async () => {
    const server = createServer(() => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const stop = new AbortController()
    const sending = { url, body: '{}', headers: {}, allowPrivate: true, signal: stop.signal }
    expect(await send({ ...sending, timeout: 50 })).to.deep.equal({
      delivered: false,
      failure: 'no answer within 50 ms',
    })
    const stopped = send({ ...sending, timeout: 5_000 })
    stop.abort()
    expect(await stopped).to.deep.equal({ delivered: false, failure: 'the service was stopped' })
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
    const gone = await send({ ...sending, timeout: 5_000, signal: new AbortController().signal })
    expect(gone).to.deep.equal({ delivered: false, failure: 'ECONNREFUSED' })
  })
})
