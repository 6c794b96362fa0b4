export { type Market, type MarketParameters, migrations, startMarket } from './start.ts'
