import { blockNumber, bytes, type Entity, entity, graph, id, many, one, string, timestamp } from './entity.ts'

/** Datasets that were made together with a schema, as published clients look for them. */
const protectedData: Entity = entity(
  'ProtectedData',
  '(select asset.*, dataset_schema.json, dataset_schema.entries from dataset_schema join asset on asset.id = dataset_schema.dataset)',
  {
    id: id(),
    name: string('{}.name'),
    owner: one('Account', '{}.owner'),
    jsonSchema: string('{}.json'),
    schema: { list: 'SchemaEntry', sql: '{}.entries' },
    multiaddr: bytes('{}.multiaddr'),
    checksum: bytes('{}.checksum'),
    creationTimestamp: timestamp,
    blockNumber,
    transactionHash: bytes('{}.transaction'),
  },
)

export const dataProtectorGraph = graph([
  { ...protectedData, plural: 'protectedDatas' },
  entity(
    'SchemaEntry',
    `(select entry as id, split_part(entry, ':', 1) as path, substr(entry, strpos(entry, ':') + 1) as type
      from (select distinct unnest(entries) as entry from dataset_schema) as known)`,
    { id: id(), path: string('{}.path'), type: string('{}.type') },
  ),
  entity('Account', 'account', { id: id(), protectedDatas: many('ProtectedData', 'owner') }),
])
