// Which room may know which: contracts -> nouns -> servers -> verbs -> agents and faces. No arrow points back.
const nouns = 'protocol|attestation'
const servers = 'market|indexer|sms|storage'
const agents = 'matcher|scheduler|worker|enclave|callbacks'

/** What a package may import of the others, itself aside. */
const allowed = {
  protocol: [],
  attestation: [],
  server: [nouns],
  market: [nouns, 'server'],
  indexer: [nouns, 'server'],
  sms: [nouns, 'server'],
  storage: [nouns, 'server'],
  sdk: [nouns],
  matcher: [nouns, 'server', 'sdk'],
  scheduler: [nouns, 'server', 'sdk'],
  worker: [nouns, 'server', 'sdk', 'enclave'],
  enclave: [nouns],
  callbacks: [nouns, 'server', 'sdk'],
  cli: [nouns, 'sdk', 'stack', 'enclave', 'attestation'],
  explorer: [nouns, 'sdk'],
  stack: [nouns, 'server', servers, agents, 'sdk', 'explorer'],
}

const tests = '\\.test\\.ts$|/testing/'

export default {
  forbidden: [
    ...Object.entries(allowed).map(([name, others]) => ({
      name: `${name}-knows-too-much`,
      comment: `packages/${name} may import of the other packages: ${others.join(', ').replaceAll('|', ', ') || 'none'}`,
      severity: 'error',
      from: { path: `^packages/${name}/`, pathNot: tests },
      to: { path: '^packages/', pathNot: `^packages/(${[name, ...others].join('|')})/` },
    })),
    {
      name: 'a-neighbour-through-the-door',
      comment: 'Another package is imported through its index.ts only',
      severity: 'error',
      from: { path: '^packages/([^/]+)/', pathNot: `${tests}|^packages/stack/` },
      to: { path: '^packages/', pathNot: ['^packages/$1/', '^packages/[^/]+/index\\.ts$'] },
    },
    {
      name: 'one-import-of-typechain-types',
      comment: 'packages/protocol/contracts.ts is the only import of the generated types off chain',
      severity: 'error',
      from: { path: '^(packages|iapps)/', pathNot: '^packages/protocol/contracts\\.ts$' },
      to: { path: '^typechain-types/' },
    },
    {
      name: 'nouns-and-verbs-run-in-browsers',
      comment: 'protocol and sdk use nothing of Node, so that they run in browsers',
      severity: 'error',
      from: { path: '^packages/(protocol|sdk)/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: { path: '^(packages|iapps|scripts|deploy)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { path: '^(packages|iapps|scripts|deploy|test)/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|^typechain-types/|^artifacts/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json', '.d.ts'],
    },
  },
}
