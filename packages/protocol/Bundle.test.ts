import { execFileSync } from 'node:child_process'
import { expect } from 'chai'
import { Archive, Bundle } from './index.ts'

const text = new TextEncoder()
const files = {
  'main.js': text.encode('console.log(1)'),
  'iapp.json': text.encode('{"entrypoint":["node","main.js"]}'),
  'lib/a.js': text.encode(''),
}

describe('Bundle', () => {
  it('has the same bytes in whatever order the files are given, in every time zone', async () => {
    const checksum = Bundle.checksum(await Bundle.pack(files))
    expect(Bundle.checksum(await Bundle.pack(new Map(Object.entries(files).reverse())))).to.equal(checksum)
    const script = `
      import { Bundle } from '${new URL('index.ts', import.meta.url).pathname}'
      const bytes = await Bundle.pack({ ${Object.entries(files).map(([path, content]) => `'${path}': Buffer.from('${Buffer.from(content).toString('hex')}', 'hex')`)} })
      console.log(Bundle.checksum(bytes))`
    for (const TZ of ['America/St_Johns', 'Pacific/Kiritimati']) {
      const args = ['--input-type=module', '--eval', script]
      expect(execFileSync(process.execPath, args, { env: { ...process.env, TZ }, encoding: 'utf8' }).trim()).to.equal(
        checksum,
      )
    }
  }).timeout(20_000)

  // A change here changes the checksum of every app: it must be deliberate.
  it('has the known bytes', async () => {
    expect(Bundle.checksum(await Bundle.pack(files))).to.equal(
      '0xb2378da633ec7c462c753563734723cfbabdb780c22738eaca73ae9f9d4f7e01',
    )
  })

  it('comes back with its entry point and files', async () => {
    const bundle = await Bundle.unpack(await Bundle.pack(files))
    expect(bundle.manifest).to.deep.equal({ entrypoint: ['node', 'main.js'] })
    expect(Object.fromEntries(bundle.files)).to.deep.equal(files)
  })

  for (const [what, manifest] of [
    ['no manifest', undefined],
    ['no JSON', '{'],
    ['no entry point', '{}'],
    ['an empty entry point', '{"entrypoint":[]}'],
    ['an entry point that is a text', '{"entrypoint":"node main.js"}'],
    ['an entry point with a number', '{"entrypoint":["node",1]}'],
  ] as const) {
    it(`is refused with ${what}`, async () => {
      const bad = manifest === undefined ? { 'main.js': files['main.js'] } : { 'iapp.json': text.encode(manifest) }
      const error = await Bundle.pack(bad).catch((error) => error)
      expect(error.name).to.equal('InvalidValueError')
      expect(error.message).to.contain('iapp.json')
    })
  }
})

describe('Archive', () => {
  /** An archive made by Python's zipfile, which writes anything it is told. */
  function made(lines: string): Uint8Array {
    const script = `
import io, sys, zipfile, warnings
warnings.simplefilter('ignore')
out = io.BytesIO()
z = zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED)
${lines}
z.close()
sys.stdout.buffer.write(out.getvalue())`
    return execFileSync('python3', ['-c', script])
  }

  it('reads deflated entries of strangers', async () => {
    const files = await Archive.unpack(made("z.writestr('a/b.txt', 'x' * 1000)"))
    expect(files.get('a/b.txt')).to.have.length(1000)
  })

  for (const [what, lines, reason] of [
    ['a path that climbs', "z.writestr('../x', '')", 'Unsafe file'],
    ['an absolute path', "z.writestr('/etc/x', '')", 'Unsafe file'],
    ['a backslash', "i = zipfile.ZipInfo('a'); i.filename = 'a\\\\\\\\..\\\\\\\\b'; z.writestr(i, '')", 'Unsafe file'],
    ['one path twice', "z.writestr('x', '1'); z.writestr('x', '2')", 'twice'],
    [
      'a link',
      "i = zipfile.ZipInfo('x'); i.create_system = 3; i.external_attr = 0o120777 << 16; z.writestr(i, '/etc')",
      'link',
    ],
    ['a bomb', "z.writestr('x', b'0' * 2000000)", 'more than'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await Archive.unpack(made(lines), { maxBytes: 1_000_000 }).catch((error) => error)
      expect(error).to.be.instanceOf(Error)
      expect(error.message).to.contain(reason)
    })
  }

  it('refuses bytes that are no archive, and a damaged entry', async () => {
    expect((await Archive.unpack(text.encode('nonsense')).catch((error) => error)).name).to.equal('ArchiveError')
    const bytes = await Archive.pack({ x: text.encode('content') })
    bytes.set([0], bytes.indexOf('c'.charCodeAt(0), 30))
    expect((await Archive.unpack(bytes).catch((error) => error)).name).to.equal('ArchiveError')
  })
})
