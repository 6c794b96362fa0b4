import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import type { Blocks } from './blocks.ts'
import { BlockNotFoundError } from './errors.ts'

/** A leaf of 262144 bytes in its frame. What is larger has children. */
const largestLeaf = 262_158

/**
 * The digest of every block of a tree. Of files only inner nodes are read: a node's children all have one height, and all but
 * the last are full, so that the size of the first tells whether they are leaves. Needs the memory of one path down.
 *
 * @param missing - called for a block that is not there; what lies below it stays unknown.
 */
export async function* walk(blocks: Blocks, root: CID, missing: (cid: CID) => void): AsyncGenerator<Uint8Array> {
  const open = [root]
  for (let cid = open.pop(); cid; cid = open.pop()) {
    yield cid.multihash.digest
    const links = await linksOf(blocks, cid).catch((error: unknown) => {
      if (!(error instanceof BlockNotFoundError)) throw error
      missing(cid as CID)
      return undefined
    })
    if (!links) continue
    if (links.areLeaves) for (const child of links.children) yield child.multihash.digest
    else open.push(...links.children)
  }
}

async function linksOf(blocks: Blocks, cid: CID): Promise<{ children: CID[]; areLeaves: boolean }> {
  const { Data, Links } = dagPb.decode(await blocks.get(cid))
  const children = Links.map(({ Hash }) => Hash)
  const [first] = Links
  // The only child of a node need not be full: it is looked at.
  const areLeaves = Links.length > 1 && isFile(Data) && (first?.Tsize ?? Number.POSITIVE_INFINITY) <= largestLeaf
  return { children, areLeaves }
}

function isFile(data: Uint8Array | undefined): boolean {
  return data !== undefined && UnixFS.unmarshal(data).type === 'file'
}
