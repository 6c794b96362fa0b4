export { type Added, type Blob, type Blobs, createBlobs, type Upload } from './blobs.ts'
export { type Blocks, openBlocks } from './blocks.ts'
export * from './errors.ts'
export { type Limits, routes, statuses } from './routes.ts'
