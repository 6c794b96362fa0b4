// `node scripts/images.ts [--base IMAGE] [--try] [services]`: builds the container image of each service with podman.
//
// Without --base nothing is pulled: the base is made of this machine's own Node and the libraries it is linked with.
// --try starts each image beside a running stack, with that stack's PostgreSQL and chain, and asks whether it is ready.
// PODMAN_OPTIONS are options of `podman build` and `podman run`, for machines where they need some.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { imageNames, writeContext } from '../packages/stack/images.ts'
import { importBase } from './images/base.ts'
import { megabytes, podman, whyUnusable } from './images/podman.ts'
import { tryImages } from './images/try.ts'
import { root } from './run.ts'

const { values, positionals } = parseArgs({
  options: { base: { type: 'string' }, try: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const known = imageNames()
const unknown = positionals.filter((name) => !known.includes(name))
if (unknown.length > 0) throw new Error(`There is no service ${unknown.join(', ')}: ${known.join(', ')}`)
const services = positionals.length > 0 ? positionals : known

const reason = await whyUnusable()
if (reason !== undefined) {
  console.log(`No image was built: ${reason}. Install it (Debian: apt-get install podman runc) and run this again.`)
  process.exit(1)
}

const base = values.base ?? (await importBase())
console.log(`base ${base}: ${await megabytes(base)}`)
for (const service of services) await build(service)
if (values.try) await tryImages(services)

async function build(service: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), `sealdeal-image-${service}-`))
  const since = performance.now()
  try {
    writeContext({ service, directory })
    const image = `localhost/sealdeal-${service}`
    const built = ['--build-arg', `BASE=${base}`, '--build-arg', `SERVICE=${service}`, '--tag', image]
    await podman(['build', ...built, '--file', join(root, 'operate', 'Containerfile'), directory])
    const seconds = ((performance.now() - since) / 1_000).toFixed(1)
    console.log(`${image}: ${await megabytes(image)} with the base, built in ${seconds} s`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
