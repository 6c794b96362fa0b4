/** A byte string as lower-case hexadecimal digits behind `0x`. */
export type Hex = `0x${string}`

/** A 20-byte account or contract address, EIP-55 checksummed wherever this package made it. */
export type Address = `0x${string}`

export const zeroAddress: Address = '0x0000000000000000000000000000000000000000'

/** 32 zero bytes: an absent tag, salt or hash. */
export const zeroHash: Hex = `0x${'00'.repeat(32)}`
