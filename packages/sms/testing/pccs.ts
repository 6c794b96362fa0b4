import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Collateral } from '@sealdeal/attestation'

/** How a service gives revocation lists: Intel's as DER or PEM, caches of it as text. */
export type ListForm = 'der' | 'pem' | 'hex'

export type TestPccs = Awaited<ReturnType<typeof startPccs>>

/** Answers like Intel's service, version 4, for one family of processors, over real HTTP. */
export async function startPccs({ fmspc, collateral }: { fmspc: string; collateral: Collateral }) {
  const state = { collateral, lists: 'hex' as ListForm, prefix: '', isAway: false, asked: [] as string[] }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
    state.asked.push(`${pathname}${[...searchParams.values()].map((value) => ` ${value}`).join('')}`)
    if (state.isAway) return response.destroy()
    const given = answer(pathname, searchParams)
    response.writeHead(given ? 200 : 404, given?.headers).end(given?.body)
  })
  function answer(path: string, query: URLSearchParams) {
    const { collateral: current, prefix } = state
    const chain = (name: string, pem: string) => ({ [`${prefix}${name}`]: encodeURIComponent(pem) })
    if (path === '/sgx/certification/v4/rootcacrl') return { headers: {}, body: list(current.root_ca_crl) }
    if (path === '/sgx/certification/v4/pckcrl' && query.get('ca') === 'platform') {
      return { headers: chain('PCK-CRL-Issuer-Chain', current.pck_crl_issuer_chain), body: list(current.pck_crl) }
    }
    if (path === '/tdx/certification/v4/tcb' && query.get('fmspc') === fmspc) {
      const body = `{"tcbInfo":${current.tcb_info},"signature":"${current.tcb_info_signature}"}`
      return { headers: chain('TCB-Info-Issuer-Chain', current.tcb_info_issuer_chain), body }
    }
    if (path === '/tdx/certification/v4/qe/identity') {
      const body = `{"enclaveIdentity":${current.qe_identity},"signature":"${current.qe_identity_signature}"}`
      return { headers: chain('Enclave-Identity-Issuer-Chain', current.qe_identity_issuer_chain), body }
    }
    return undefined
  }
  function list(hex: string): string | Buffer {
    const bytes = Buffer.from(hex, 'hex')
    if (state.lists === 'der') return bytes
    if (state.lists === 'hex') return hex.toUpperCase()
    return `-----BEGIN X509 CRL-----\n${bytes.toString('base64')}\n-----END X509 CRL-----\n`
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
