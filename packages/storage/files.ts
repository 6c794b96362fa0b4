import type { App } from '@sealdeal/server'
import { CID } from 'multiformats/cid'
import { z } from 'zod'
import { type Signed, signerOf } from './admission.ts'
import { InvalidPathError, PinNotFoundError } from './errors.ts'
import type { Ledger } from './ledger.ts'

const dagPb = 0x70
const sha256 = 0x12

const ListQuery = z.object({
  after: z
    .string()
    .regex(/^\d{1,18}$/, { error: 'must be the `next` of the page before' })
    .default('0'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
})

const Listed = z.object({
  files: z.array(z.object({ cid: z.string(), bytes: z.number(), pinnedAt: z.string() })),
  next: z.string().optional(),
})

/** What an account keeps here: the list, and the way to have one of it removed. Both are signed. */
export function fileRoutes(
  app: App,
  { ledger, signed, removed }: { ledger: Ledger; signed: Signed; removed: () => void },
): void {
  const security = [{ authorization: [] }]
  app.get('/files', { schema: { querystring: ListQuery, response: { 200: Listed }, security } }, async (request) => {
    const account = await signerOf(request, signed)
    const { after, limit } = request.query
    const pins = await ledger.list({ account, after: BigInt(after), limit })
    const last = pins.length === limit ? pins.at(-1) : undefined
    return {
      files: pins.map(({ cid, bytes, pinnedAt }) => ({ cid, bytes, pinnedAt: pinnedAt.toISOString() })),
      ...(last ? { next: String(last.number) } : {}),
    }
  })

  app.delete('/files/:cid', { schema: { params: z.object({ cid: z.string() }), security } }, async (request, reply) => {
    const account = await signerOf(request, signed)
    const cid = asAdded(request.params.cid)
    if (!(await ledger.unpin({ account, cid }))) throw new PinNotFoundError({ cid, account })
    removed()
    return reply.code(204).send()
  })
}

/** A CID in the form in which `add` tells it. */
function asAdded(text: string): string {
  try {
    const cid = CID.parse(text)
    return (cid.code === dagPb && cid.multihash.code === sha256 ? cid.toV0() : cid).toString()
  } catch {
    throw new InvalidPathError({ path: text.replaceAll('\0', '�') })
  }
}
