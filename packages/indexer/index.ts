export { type Indexer, type IndexerParameters, migrations, startIndexer } from './start.ts'
