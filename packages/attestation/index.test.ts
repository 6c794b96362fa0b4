import { readFileSync } from 'node:fs'
import { expect } from 'chai'

/** Follows the relative imports of a file and collects every other module that is imported on the way. */
function packagesBehind(file: URL, seen = new Set<string>(), packages = new Set<string>()) {
  if (seen.has(file.href)) return { files: seen, packages }
  seen.add(file.href)
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export|\})[^'\n]*from '([^']+)'/gm,
  )) {
    if (specifier.startsWith('.')) packagesBehind(new URL(specifier, file), seen, packages)
    else packages.add(specifier)
  }
  return { files: seen, packages }
}

describe('the door of the package', () => {
  it('leads to nothing that a browser does not have', () => {
    const { files, packages } = packagesBehind(new URL('./index.ts', import.meta.url))
    expect(files.size).to.be.greaterThan(15)
    expect([...packages].sort()).to.deep.equal(['@peculiar/asn1-schema', '@peculiar/asn1-x509', 'asn1js', 'zod'])
  })
})
