// The manifests of operate/kubernetes, judged offline: by the schemas that the API publishes (package kubernetes-models has
// them compiled), by the services' own readers of their environment, and by what a reviewer would ask of each.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readConfig } from '@sealdeal/server'
import { expect } from 'chai'
import { parseAllDocuments } from 'yaml'
import { imageNames } from './images.ts'

type Variable = { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }
type Probe = { httpGet: { path: string; port: string } }
type Container = {
  image: string
  ports: { name: string; containerPort: number }[]
  env: Variable[]
  envFrom?: unknown[]
  volumeMounts: { name: string; mountPath: string }[]
  livenessProbe: Probe
  readinessProbe: Probe
  resources: Record<'requests' | 'limits', { memory?: string }>
  securityContext: unknown
}
type Pod = { securityContext: unknown; containers: [Container]; volumes: { name: string }[] }
type Manifest = {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
  data?: Record<string, string>
  spec: {
    replicas: number
    selector: Record<string, unknown> & { matchLabels: unknown }
    template: { metadata: { labels: unknown }; spec: Pod }
    ports: { targetPort: string }[]
    volumeClaimTemplates?: { metadata: { name: string } }[]
  }
}

const folder = fileURLToPath(new URL('../../operate/kubernetes', import.meta.url))

function read(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
    expect([...document.errors, ...document.warnings], file).to.deep.equal([])
    return document.toJS() as Manifest
  })
}

/** Why the API's schema of its kind refuses a manifest; undefined when it does not. */
async function refusal(manifest: Manifest): Promise<string | undefined> {
  const { [manifest.kind]: Kind } = await import(`kubernetes-models/${manifest.apiVersion}`)
  try {
    new Kind(manifest).validate()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

type Path = (string | number)[]

/** Every field of a manifest, at any depth. */
function fields(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = [...path, Array.isArray(value) ? Number(key) : key]
    return [below, ...fields(inner, below)]
  })
}

/** The published schemas let unknown fields pass: those are the fields that may be anything. */
async function unknownFields(manifest: Manifest): Promise<string[]> {
  const unknown: string[] = []
  for (const path of fields(manifest)) {
    if (path[0] === 'kind' || path[0] === 'apiVersion') continue
    const changed = structuredClone(manifest)
    const holder = path.slice(0, -1).reduce<object>((each, key) => Reflect.get(each, key), changed)
    Reflect.set(holder, path.at(-1) ?? '', [[true]])
    if ((await refusal(changed)) === undefined) unknown.push(path.join('.'))
  }
  return unknown
}

describe('the manifests for Kubernetes', () => {
  const files = readdirSync(folder)
  const [, settings] = read('common.yaml')
  const of = (service: string) => {
    const all = read(`${service}.yaml`)
    const workload = all.find(({ kind }) => /^(Deployment|StatefulSet)$/.test(kind)) as Manifest
    return { all, workload, pod: workload.spec.template.spec, container: workload.spec.template.spec.containers[0] }
  }

  it('are those of every service, and what they share', () => {
    expect(files.sort()).to.deep.equal([...imageNames(), 'common'].map((name) => `${name}.yaml`).sort())
  })

  it('would be refused for a wrong value, and for a word that the API does not know', async () => {
    const { workload } = of('market')
    const wrong = { ...workload, spec: { ...workload.spec, replicas: 'two' } } as unknown as Manifest
    expect(await refusal(wrong)).to.contain('replicas must be integer')
    const misspelt = structuredClone(workload)
    Object.assign(misspelt.spec.template.spec.containers[0], { readinesProbe: { httpGet: { path: '/' } } })
    expect(await unknownFields(misspelt)).to.include('spec.template.spec.containers.0.readinesProbe')
  })

  for (const file of files) {
    it(`${file} is what the API's schemas want, with fields that they know and no secret`, async () => {
      for (const manifest of read(file)) {
        expect(await refusal(manifest), manifest.kind).to.equal(undefined)
        expect(await unknownFields(manifest), manifest.kind).to.deep.equal([])
        expect(manifest.kind).not.to.equal('Secret')
        if (manifest.kind !== 'Namespace') expect(manifest.metadata.namespace).to.equal('sealdeal')
      }
    })
  }

  for (const service of imageNames()) {
    describe(service, () => {
      it('is started with an environment that it takes', async () => {
        const { schema } = await import(`../${service}/config.ts`)
        const { container, pod, workload } = of(service)
        const env = Object.fromEntries(
          container.env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
        )
        for (const name of Object.keys(env)) expect(Object.keys(schema.shape)).to.include(name)
        const shared = container.envFrom ? settings?.data : {}
        expect(() => readConfig({ schema, env: { ...shared, ...env } })).not.to.throw()
        // Named files lie in what is mounted, and what is mounted is declared.
        for (const [name, value] of Object.entries(env).filter(([name]) => /_(FILE|DIRECTORY)$/.test(name)))
          expect(
            container.volumeMounts.some(({ mountPath }) => value.startsWith(`${mountPath}/`)),
            name,
          ).to.equal(true)
        const declared = [...pod.volumes, ...(workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)]
        expect(declared.map(({ name }) => name)).to.include.members(container.volumeMounts.map(({ name }) => name))
        expect(JSON.stringify(env)).not.to.match(/:\/\/[^/"]*:[^/"@]*@/)
      })

      it('is asked how it is, cannot become root, and has bounds', () => {
        const { container, pod } = of(service)
        expect(container.image).to.equal(`localhost/sealdeal-${service}:latest`)
        expect(container.livenessProbe.httpGet).to.deep.equal({ path: '/health', port: 'http' })
        expect(container.readinessProbe.httpGet).to.deep.equal({ path: '/ready', port: 'http' })
        expect(container.ports).to.deep.equal([{ name: 'http', containerPort: 8080 }])
        expect(pod.securityContext).to.deep.include({ runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 })
        expect(container.securityContext).to.deep.equal({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        expect(container.resources.requests).to.have.all.keys('cpu', 'memory')
        expect(container.resources.limits).to.have.property('memory')
      })

      it('is found by its Service, and is not drained to nothing where it has replicas', () => {
        const { all, workload } = of(service)
        const { labels } = workload.spec.template.metadata
        expect(workload.spec.selector.matchLabels).to.deep.equal(labels)
        const found = all.find(({ kind }) => kind === 'Service')
        expect(found?.spec.selector).to.deep.equal(labels)
        expect(found?.spec.ports.map(({ targetPort }) => targetPort)).to.deep.equal(['http'])
        const budgets = all.filter(({ kind }) => kind === 'PodDisruptionBudget')
        expect(budgets.map(({ spec }) => spec.selector.matchLabels)).to.deep.equal(
          workload.spec.replicas > 1 ? [labels] : [],
        )
      })
    })
  }
})
