import { KeyObject } from 'node:crypto'
import { Printed, Result } from '@sealdeal/protocol'
import { expect } from 'chai'
import { refusal } from '../testing/scene.ts'
import { onlooker, somebody, utils } from './client.ts'
import { realRun, records } from './runs.ts'

export const taskTests = () =>
  describe('task', () => {
    it('is observed until it is completed', async () => {
      const { told } = await realRun()
      const { task } = await told
      expect(task.at(-1)).to.equal('TASK_COMPLETED')
    })
    it('is shown with where its result lies', async () => {
      const { requester, dealid, taskid, told } = await realRun()
      await told
      const shown = await requester.iexec.task.show(taskid)
      expect(shown).to.deep.include({ taskid, dealid, statusName: 'COMPLETED', taskTimedOut: false })
      expect(shown.results).to.have.property('storage', 'ipfs')
      const unknown = await refusal(requester.iexec.task.show(`0x${'12'.repeat(32)}`))
      expect(unknown.message).to.match(/No task found/)
      expect((await refusal(requester.iexec.task.claim(taskid))).message).to.match(/COMPLETED/)
    })
    it('gives its result, which the key of the beneficiary opens', async () => {
      const { requester, taskid, resultKey, told } = await realRun()
      await told
      const response = await requester.iexec.task.fetchResults(taskid)
      const opened = await utils.decryptResult(await response.arrayBuffer(), resultKey.privateKey)
      const files = await Result.files(opened)
      const text = Buffer.from(files.get('result.txt') ?? []).toString()
      expect(text).to.equal(`Hello, Ada Lovelace!\nThe dataset has ${records.length} bytes.\n`)
    })
    it('tells what its pool did for it', async () => {
      const { taskid, told } = await realRun()
      await told
      const { task, replicates } = await (await onlooker()).task.fetchOffchainInfo(taskid)
      expect(task.status).to.equal('COMPLETED')
      expect(task.statusHistory.map(({ status }) => status)).to.include('COMPLETED')
      for (const { date } of task.statusHistory) expect(Date.parse(date)).to.be.greaterThan(0)
      expect(replicates).to.have.length(1)
      expect(replicates[0]?.worker).to.match(/^0x/)
    })
    it('gives what its app printed to its requester, who opens it with the key of the beneficiary', async () => {
      const { requester, taskid, resultKey, told } = await realRun()
      await told
      const [printed, ...others] = await requester.iexec.task.fetchLogs(taskid)
      expect(others).to.deep.equal([])
      expect(printed?.worker).to.match(/^0x/)
      const privateKey = KeyObject.from(resultKey.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
      for (const stream of [printed?.stdout, printed?.stderr]) {
        expect(stream).to.match(/^-----BEGIN SEALDEAL PRINTED-----/)
        expect(await Printed.open(stream ?? '', { privateKey })).to.have.length(0)
      }
      const stranger = await somebody()
      expect((await refusal(stranger.iexec.task.fetchLogs(taskid))).message).to.match(/requester/i)
    })
  })
