import { expect } from 'chai'
import { ethers, loadFixture, taskIdOf, time } from '../../fixtures.ts'
import {
  checkMoney,
  contribute,
  contributedTask,
  contributionOf,
  digestOf,
  eventsOf,
  finalize,
  hashOf,
  reopenedTask,
  replicatedDeal,
  replicatedTask,
  reveal,
  revealedTask,
  revealingTask,
  sealOf,
} from '../../replicas.ts'

/** Ann has revealed, Bob and Cid have not. */
async function partlyRevealedTask() {
  const task = await loadFixture(revealingTask)
  await reveal(task, task.ann)
  return task
}

/** Bob, who found nothing, has copied the hash of Ann: under his own seal of it, and under hers. */
async function copiedTask(copySeal: boolean) {
  const task = await loadFixture(replicatedTask)
  const { hub, taskId, ann, bob } = task
  await contribute(task, ann)
  const [, , , ...rest] = await contributionOf(task, bob)
  // The seal of what is known without having computed anything: the hash in the place of the digest.
  const parts = [bob.address, taskId, hashOf(task)]
  const ownSeal = ethers.solidityPackedKeccak256(['address', 'bytes32', 'bytes32'], parts)
  await hub.connect(bob).contribute(taskId, hashOf(task), copySeal ? sealOf(task, ann) : ownSeal, ...rest)
  return task
}

describe('reveal', () => {
  describe('given a result that is agreed on', () => {
    it('marks the contribution as proved and tells the digest', async () => {
      const task = await loadFixture(revealingTask)
      const { hub, taskId, ann } = task
      const digest = digestOf(task)
      expect(await eventsOf(task, await reveal(task, ann))).to.deep.equal([['TaskReveal', taskId, ann.address, digest]])
      expect((await hub.viewContribution(taskId, ann)).status).to.equal(2n)
      const { status, revealCounter, winnerCounter, resultDigest } = await hub.viewTask(taskId)
      expect([status, revealCounter, winnerCounter, resultDigest]).to.deep.equal([2n, 1n, 3n, digest])
    })

    it('leaves every hash and seal as it was', async () => {
      const task = await loadFixture(revealingTask)
      const { hub, taskId, ann, bob, eve } = task
      const before = await hub.viewTask(taskId)
      await reveal(task, ann)
      const after = await hub.viewTask(taskId)
      expect(after.consensusValue).to.equal(before.consensusValue)
      expect(after.revealDeadline).to.equal(before.revealDeadline)
      for (const [worker, name] of [
        [ann, 'A'],
        [bob, 'A'],
        [eve, 'B'],
      ] as const) {
        const { resultHash, resultSeal } = await hub.viewContribution(taskId, worker)
        expect([resultHash, resultSeal]).to.deep.equal([hashOf(task, name), sealOf(task, worker, name)])
      }
    })

    it('counts the next, who says the same', async () => {
      const task = await loadFixture(partlyRevealedTask)
      const { hub, taskId, bob, cid } = task
      const digest = digestOf(task)
      expect(await eventsOf(task, await reveal(task, bob))).to.deep.equal([['TaskReveal', taskId, bob.address, digest]])
      await reveal(task, cid)
      const { status, revealCounter, resultDigest } = await hub.viewTask(taskId)
      expect([status, revealCounter, resultDigest]).to.deep.equal([2n, 3n, digest])
    })

    it('moves no money', async () => {
      const task = await loadFixture(revealingTask)
      const { hub, ann } = task
      const before = await hub.viewAccount(ann)
      await reveal(task, ann)
      expect(await hub.viewAccount(ann)).to.deep.equal(before)
      await checkMoney(task)
    })

    it('is the same in a multicall', async () => {
      const task = await loadFixture(revealingTask)
      const { hub, taskId, ann } = task
      await hub.connect(ann).multicall([hub.interface.encodeFunctionData('reveal', [taskId, digestOf(task)])])
      expect((await hub.viewContribution(taskId, ann)).status).to.equal(2n)
    })
  })

  describe('given a result agreed on after another was given up', () => {
    it('opens the new one, by those who found that', async () => {
      const task = await loadFixture(reopenedTask)
      const { hub, taskId, dan, eve } = task
      await contribute(task, dan, 'B')
      await reveal(task, eve, 'B')
      await reveal(task, dan, 'B')
      const { resultDigest, revealCounter, winnerCounter } = await hub.viewTask(taskId)
      expect([resultDigest, revealCounter, winnerCounter]).to.deep.equal([digestOf(task, 'B'), 2n, 2n])
    })

    it('reverts with NothingToReveal when the worker was rejected, even if the same result is agreed on', async () => {
      const task = await loadFixture(reopenedTask)
      const { hub, taskId, ann, dan, crew } = task
      const [, , , , , sixth, seventh] = crew
      if (!(sixth && seventh)) throw new Error('The crew is too small.')
      for (const each of [dan, sixth, seventh]) await contribute(task, each)
      expect((await hub.viewTask(taskId)).status).to.equal(2n)
      await expect(reveal(task, ann))
        .to.be.revertedWithCustomError(hub, 'NothingToReveal')
        .withArgs(taskId, ann.address)
      await reveal(task, dan)
      await expect(reveal(task, ann)).to.be.revertedWithCustomError(hub, 'NothingToReveal')
    })
  })

  describe('given a result whose time to be revealed ends', () => {
    it('opens it one second before the deadline', async () => {
      const task = await loadFixture(revealingTask)
      const { revealDeadline } = await task.hub.viewTask(task.taskId)
      await time.setNextBlockTimestamp(revealDeadline - 1n)
      await reveal(task, task.ann)
      expect((await task.hub.viewTask(task.taskId)).revealCounter).to.equal(1n)
    })

    for (const fixture of [revealingTask, partlyRevealedTask]) {
      it(`reverts with DeadlinePassed at the deadline (${fixture.name})`, async () => {
        const task = await fixture()
        const { hub, taskId, bob } = task
        const { revealDeadline } = await hub.viewTask(taskId)
        await time.setNextBlockTimestamp(revealDeadline)
        await expect(reveal(task, bob))
          .to.be.revertedWithCustomError(hub, 'DeadlinePassed')
          .withArgs(taskId, revealDeadline)
      })
    }
  })

  describe('given a task with nothing to reveal', () => {
    it('reverts with WrongStatus when it was never opened', async () => {
      const deal = await loadFixture(replicatedDeal)
      const task = { ...deal, taskId: taskIdOf(deal.dealId, 0n) }
      await expect(reveal(task, task.ann))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 0n)
    })

    it('reverts with WrongStatus when nothing is agreed on', async () => {
      const task = await loadFixture(contributedTask)
      await expect(reveal(task, task.eve, 'B'))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 1n)
    })

    it('reverts with WrongStatus when it was reopened', async () => {
      const task = await loadFixture(reopenedTask)
      await expect(reveal(task, task.ann))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 1n)
    })

    it('reverts with WrongStatus when it is completed', async () => {
      const task = await loadFixture(revealedTask)
      await finalize(task)
      await expect(reveal(task, task.ann))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 3n)
    })

    it('reverts with WrongStatus when it has failed', async () => {
      const task = await loadFixture(revealingTask)
      await time.increase(3000)
      await task.hub.claim(task.taskId)
      await expect(reveal(task, task.ann))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 4n)
    })
  })

  describe('when the caller is not awaited', () => {
    it('reverts with NothingToReveal when it never contributed', async () => {
      const task = await loadFixture(revealingTask)
      const { hub, taskId, dan } = task
      await expect(reveal(task, dan))
        .to.be.revertedWithCustomError(hub, 'NothingToReveal')
        .withArgs(taskId, dan.address)
    })

    it('reverts with NothingToReveal when it found something else, whatever it reveals', async () => {
      const task = await loadFixture(revealingTask)
      const { hub, taskId, eve } = task
      for (const name of ['A', 'B']) {
        await expect(reveal(task, eve, name))
          .to.be.revertedWithCustomError(hub, 'NothingToReveal')
          .withArgs(taskId, eve.address)
      }
    })

    it('reverts with NothingToReveal the second time', async () => {
      const task = await loadFixture(partlyRevealedTask)
      const { hub, taskId, ann } = task
      await expect(reveal(task, ann))
        .to.be.revertedWithCustomError(hub, 'NothingToReveal')
        .withArgs(taskId, ann.address)
    })
  })

  describe('when the digest is wrong', () => {
    for (const fixture of [revealingTask, partlyRevealedTask]) {
      it(`reverts with WrongDigest, also when it is the hash or nothing (${fixture.name})`, async () => {
        const task = await fixture()
        const { hub, taskId, bob } = task
        for (const digest of [digestOf(task, 'B'), hashOf(task), ethers.ZeroHash]) {
          await expect(hub.connect(bob).reveal(taskId, digest))
            .to.be.revertedWithCustomError(hub, 'WrongDigest')
            .withArgs(taskId, bob.address, digest)
        }
      })
    }
  })

  describe('when the hash was copied from another worker', () => {
    for (const [name, copySeal] of [
      ['its seal as well', true],
      ['a seal was made of it', false],
    ] as const) {
      it(`reverts with WrongDigest although the digest is known by now (${name})`, async () => {
        const task = await copiedTask(copySeal)
        const { hub, taskId, ann, bob } = task
        await expect(reveal(task, bob)).to.be.revertedWithCustomError(hub, 'WrongDigest')
        await reveal(task, ann)
        for (const digest of [digestOf(task), hashOf(task)]) {
          await expect(hub.connect(bob).reveal(taskId, digest))
            .to.be.revertedWithCustomError(hub, 'WrongDigest')
            .withArgs(taskId, bob.address, digest)
        }
      })
    }
  })
})
