import { expect } from 'chai'
import { gather, share } from './gather.ts'

/** A piece of work that ends when it is told to. */
function gate() {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

describe('what is done together', () => {
  it('is all that was asked while something was under way, in its order, so many at most', async () => {
    const { open, passed } = gate()
    const batches: number[][] = []
    const double = gather(async (items: readonly number[]) => {
      batches.push([...items])
      await passed
      return items.map((item) => item * 2)
    }, 3)
    const answers = [1, 2, 3, 4, 5].map((item) => double(item))
    open()
    expect(await Promise.all(answers)).to.deep.equal([2, 4, 6, 8, 10])
    expect(batches).to.deep.equal([[1], [2, 3, 4], [5]])
  })
  it('fails one by one: by the answer, or, when all of it fails, by trying each alone', async () => {
    const tried: string[] = []
    const write = gather(async (items: readonly string[]) => {
      tried.push(items.join(''))
      if (items.includes('x')) throw new Error('x breaks the transaction')
      return items.map((item) => (item === 'r' ? new Error('r is refused') : item))
    }, 10)
    const answers = await Promise.allSettled(['a', 'b', 'r', 'x', 'c'].map((item) => write(item)))
    expect(answers.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.message))).to.deep.equal([
      'a',
      'b',
      'r is refused',
      'x breaks the transaction',
      'c',
    ])
    expect(tried).to.deep.equal(['a', 'brxc', 'b', 'r', 'x', 'c'])
    expect(await write('d')).to.equal('d')
  })
})

describe('what is asked together', () => {
  it('is answered once, and never by what was asked before', async () => {
    const gates = [gate(), gate(), gate()]
    let asked = 0
    const ask = share(async () => {
      const turn = asked++
      await gates[turn]?.passed
      if (turn === 1) throw new Error('away')
      return turn
    })
    const first = ask()
    await new Promise((resolve) => setImmediate(resolve))
    const later = [ask(), ask()]
    gates[0]?.open()
    expect(await first).to.equal(0)
    gates[1]?.open()
    const failed = await Promise.allSettled(later)
    expect(failed.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
    gates[2]?.open()
    expect([await ask(), asked]).to.deep.equal([2, 3])
  })
})
