import type { Market } from './market.ts'
import { scenarios } from './scenarios/index.ts'
import type { Scenario } from './scenarios/scenario.ts'

/** Gas of each scenario, by its name. */
export type Figures = Record<string, number>

export function scenariosOf({ side }: Pick<Market, 'side'>): Scenario[] {
  return scenarios.filter(({ only = side }) => only === side)
}

/** Measures one scenario from the steady state, to which the market returns. */
export async function measure(market: Market, scenario: Scenario): Promise<number> {
  return Number(await market.chain.undone(() => scenario.gas(market)))
}

/** Measures all scenarios of a market, each from the same state. */
export async function measureAll(market: Market): Promise<Figures> {
  const figures: Figures = {}
  for (const scenario of scenariosOf(market)) figures[scenario.name] = await measure(market, scenario)
  return figures
}
