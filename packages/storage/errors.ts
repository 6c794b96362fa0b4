import { BaseError } from '@sealdeal/protocol'

/** No block of that name is on this disk. */
export class BlockNotFoundError extends BaseError {
  override name = 'BlockNotFoundError'
  constructor({ cid }: { cid: string }) {
    super(`No block is stored under "${cid}".`, { docsPath: '/storage#not-found' })
  }
}

/** The path names nothing that this store holds. */
export class BlobNotFoundError extends BaseError {
  override name = 'BlobNotFoundError'
  constructor({ path, reason }: { path: string; reason?: string }) {
    super(`Nothing is stored under "${path}"${reason ? `: ${reason}` : ''}.`, {
      metaMessages: ['Add it first: `POST /api/v0/add`, then use the `Hash` of the answer.'],
      docsPath: '/storage#not-found',
    })
  }
}

/** What follows `/ipfs/` is no content identifier. */
export class InvalidPathError extends BaseError {
  override name = 'InvalidPathError'
  constructor({ path }: { path: string }) {
    super(`"${path}" is not a content identifier.`, {
      metaMessages: ['A path looks like `/ipfs/Qm...` or `/ipfs/bafy...`.'],
      docsPath: '/storage#gateway',
    })
  }
}

/** The range lies behind the end of the blob. */
export class RangeNotSatisfiableError extends BaseError {
  override name = 'RangeNotSatisfiableError'
  constructor({ range, size }: { range: string; size: number }) {
    super(`The range "${range}" lies outside of the ${size} bytes stored.`, { docsPath: '/storage#ranges' })
  }
}

/** One file of an upload is longer than the configured limit. */
export class FileTooLargeError extends BaseError {
  override name = 'FileTooLargeError'
  constructor({ name, limit }: { name: string; limit: number }) {
    super(`The file "${name}" is longer than the ${limit} bytes that this store takes.`, {
      metaMessages: ['The operator may raise `STORAGE_MAX_FILE_BYTES`.'],
      docsPath: '/storage#limits',
    })
  }
}

/** An upload holds more files than the configured limit. */
export class TooManyFilesError extends BaseError {
  override name = 'TooManyFilesError'
  constructor({ limit }: { limit: number }) {
    super(`One upload may hold at most ${limit} files.`, {
      metaMessages: ['Send several uploads, or ask the operator to raise `STORAGE_MAX_FILES`.'],
      docsPath: '/storage#limits',
    })
  }
}

/** The body of an upload cannot be read as a form with files. */
export class InvalidUploadError extends BaseError {
  override name = 'InvalidUploadError'
  constructor({ reason }: { reason: string }) {
    super(`The upload cannot be read: ${reason}.`, {
      metaMessages: ['Send `multipart/form-data` with at least one file, as `curl -F file=@path` does.'],
      docsPath: '/storage#add',
    })
  }
}

/** The IPFS node behind this server does not do its part. */
export class KuboNodeError extends BaseError {
  override name = 'KuboNodeError'
  constructor({ reason, cause }: { reason: string; cause?: unknown }) {
    super(`The IPFS node behind this storage fails: ${reason}.`, {
      metaMessages: ['Try again later. The operator finds the node under `STORAGE_KUBO_URL`.'],
      docsPath: '/storage#node',
      ...(cause === undefined ? {} : { cause }),
    })
  }
}

/** The storage takes signed requests only here, and this one is not, or not well, signed. */
export class SignatureWantedError extends BaseError {
  override name = 'SignatureWantedError'
  constructor({ reason }: { reason: string }) {
    super(`This storage wants this request signed by an account: ${reason}.`, {
      metaMessages: [
        'Send `authorization: Sealdeal account=..,nonce=..,expiry=..,signature=..` for the service "storage" with an empty body.',
      ],
      docsPath: '/storage#signed',
    })
  }
}

/** The account, or the network, has no room for this upload. */
export class QuotaExceededError extends BaseError {
  override name = 'QuotaExceededError'
  readonly particulars: { limit: number; used: number; wanted: number }
  constructor({ limit, used, wanted, per }: { limit: number; used: number; wanted: number; per: 'account' | 'day' }) {
    const remedy = {
      account: 'Delete what you do not need: `GET /files` lists it, `DELETE /files/<cid>` makes room.',
      day: 'Try again tomorrow: the bytes of 24 hours count.',
    }
    super(`The upload needs ${wanted} bytes or more, but ${used} of the ${limit} bytes allowed here are used.`, {
      metaMessages: [remedy[per], 'The operator may raise `STORAGE_QUOTA_BYTES`.'],
      docsPath: '/storage#quota',
    })
    this.particulars = { limit, used, wanted }
  }
}

/** The account keeps no such file. */
export class PinNotFoundError extends BaseError {
  override name = 'PinNotFoundError'
  constructor({ cid, account }: { cid: string; account: string }) {
    super(`${account} keeps nothing under "${cid}" here.`, {
      metaMessages: ['`GET /files` lists what an account keeps.'],
      docsPath: '/storage#delete',
    })
  }
}

/** The database had not heard of the upload for minutes, so that its blocks may be collected: it cannot be pinned. */
export class UploadLostError extends BaseError {
  override name = 'UploadLostError'
  constructor() {
    super('The upload was given up: this server could not show for two minutes that it lived.', {
      metaMessages: ['Upload again.'],
      docsPath: '/storage#quota',
    })
  }
}
