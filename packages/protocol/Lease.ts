import { TypedDataEncoder, verifyTypedData } from 'ethers'
import type { Address, Hex } from './hex.ts'
import type { Domain, TypedDataSigner } from './Order.ts'

/** The pool owner's word that `worker` may try `task`, for the `attempt`-th time, until `expiry` (unix seconds). */
export type Lease = { task: Hex; worker: Address; attempt: bigint; expiry: bigint }

export const types = {
  Lease: [
    { name: 'task', type: 'bytes32' },
    { name: 'worker', type: 'address' },
    { name: 'attempt', type: 'uint256' },
    { name: 'expiry', type: 'uint256' },
  ],
}

/** EIP-712 domain of leases: Sealdeal's own, not the Hub's, so that no lease can ever be taken for an order. */
export function domain({ chainId, hub }: { chainId: bigint | number; hub: Address }): Domain {
  return { name: 'Sealdeal', version: '1', chainId: BigInt(chainId), verifyingContract: hub }
}

export function hash(lease: Lease, domain: Domain): Hex {
  return TypedDataEncoder.hash(domain, types, message(lease)) as Hex
}

/** Signs a lease as the owner of the deal's workerpool. */
export async function sign(lease: Lease, signer: TypedDataSigner, domain: Domain): Promise<Hex> {
  return (await signer.signTypedData(domain, types, message(lease))) as Hex
}

/** The key that signed the lease. Throws on a malformed signature. */
export function recover(lease: Lease, signature: Hex, domain: Domain): Address {
  return verifyTypedData(domain, types, message(lease), signature) as Address
}

function message({ task, worker, attempt, expiry }: Lease): Lease {
  return { task, worker, attempt, expiry }
}
