import { Contracts, type Hex } from '@sealdeal/protocol'
import type { ChainAccess } from '@sealdeal/server'
import { type FunctionFragment, Interface } from 'ethers'
import { decodeAnswer, type Value, type Values } from './decode.ts'

/** A question to the Hub about something that never changes once it is so. */
export type Question = {
  view: 'viewDeal' | 'viewTask' | 'viewContribution' | 'viewApp' | 'viewDataset' | 'viewWorkerpool'
  of: readonly string[]
}

/** The answers to the questions that were asked. */
export type Facts = (view: Question['view'], ...of: string[]) => Values

const abi = Interface.from(Contracts.abis.hub)
const keyOf = ({ view, of }: Question) => `${view}(${of})`

/** How many questions go into one call: their answers must not use up the gas that a node gives to a call. */
const together = 40
/** How many calls are under way at once. */
const atOnce = 8

/**
 * Asks the Hub many things in few calls. The answers are of now: what is asked must be settled for ever by the events that
 * made us ask. Where it is not so any more the chain was reorganised, which who follows it will notice.
 */
export async function askHub({
  chain,
  hub,
  questions,
}: {
  chain: ChainAccess
  hub: string
  questions: readonly Question[]
}): Promise<Facts> {
  const wanted = [...new Map(questions.map((each) => [keyOf(each), each])).values()]
  const chunks = Array.from({ length: Math.ceil(wanted.length / together) }, (_, index) =>
    wanted.slice(index * together, (index + 1) * together),
  )
  const answers = new Map<string, Value>()
  async function work(): Promise<void> {
    for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
      const found = await askTogether({ chain, hub, questions: chunk })
      chunk.forEach((question, index) => {
        answers.set(keyOf(question), decodeAnswer(fragmentOf(question), found[index] ?? '0x'))
      })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return (view, ...of) => {
    const answer = answers.get(keyOf({ view, of }))
    if (answer === undefined) throw new Error(`nobody asked for ${keyOf({ view, of })}`)
    return answer as Values
  }
}

async function askTogether({
  chain,
  hub,
  questions,
}: {
  chain: ChainAccess
  hub: string
  questions: readonly Question[]
}): Promise<string[]> {
  const calls = questions.map((each) => abi.encodeFunctionData(fragmentOf(each), [...each.of]))
  const data = abi.encodeFunctionData('multicall', [calls])
  const answer = (await chain.send('eth_call', [{ to: hub, data }, 'latest'])) as Hex
  const [answers] = abi.decodeFunctionResult('multicall', answer)
  return [...(answers as Iterable<string>)]
}

function fragmentOf({ view }: Question): FunctionFragment {
  const fragment = abi.getFunction(view)
  if (!fragment) throw new Error(`the Hub has no ${view}`)
  return fragment
}
