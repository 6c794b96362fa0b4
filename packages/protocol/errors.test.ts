import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { BaseError, InvalidValueError } from './index.ts'

describe('BaseError', () => {
  it('says what happened, what to do, and in which file to read more', () => {
    const error = new BaseError('It broke.', { metaMessages: ['Mend it.'], docsPath: '/run#orders' })
    expect(error.message).to.equal('It broke.\nMend it.\nDocs: docs/run.md#orders')
    expect(error.shortMessage).to.equal('It broke.')
  })

  it('names a page that is there', () => {
    const error = new InvalidValueError({ path: 'volume', expected: '1 or more', value: 0n })
    const file = /^Docs: (.+)$/m.exec(error.message)?.[1]
    expect(file).to.equal('docs/formats.md')
    expect(existsSync(new URL(`../../${file}`, import.meta.url))).to.equal(true)
  })

  it('says nothing of documentation where there is none', () => {
    expect(new BaseError('It broke.').message).to.equal('It broke.')
  })
})
