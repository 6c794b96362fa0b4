-- What the chain said. Rows are only ever inserted, each under its block: deleting the block takes back all it said.
-- Hex is lower case, addresses too; amounts are exact integers in the smallest unit.

create table block (
  number bigint primary key,
  hash text not null unique,
  -- Unix seconds.
  timestamp bigint not null
);

create table transaction (
  id text primary key,
  block bigint not null references block on delete cascade
);
create index transaction_block on transaction (block);

-- Everybody who was ever named, under the block that did so first: blocks are taken back from the newest down, so that
-- none who is named in a later one is lost. Sums of `transfer` and `custody_event` are kept by triggers.
create table account (
  id text primary key,
  block bigint not null references block on delete cascade,
  balance numeric(78) not null default 0,
  frozen numeric(78) not null default 0
);
create index account_block on account (block);

create table asset (
  id text primary key,
  kind text not null check (kind in ('app', 'dataset', 'workerpool')),
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  -- The description of a workerpool.
  name text not null,
  type text,
  multiaddr text,
  checksum text,
  mrenclave text,
  -- Whom it belongs to now: kept by the triggers below.
  owner text not null
);
create index asset_block on asset (block, log);
create index asset_owner on asset (owner);
create index asset_kind on asset (kind, block desc, log desc);

create table asset_transfer (
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  kind text not null,
  asset text not null,
  sender text not null,
  receiver text not null,
  primary key (block, log)
);
create index asset_transfer_asset on asset_transfer (asset, block desc, log desc);

create table policy_update (
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  workerpool text not null,
  old_worker_stake_ratio numeric(78) not null,
  new_worker_stake_ratio numeric(78) not null,
  old_scheduler_reward_ratio numeric(78) not null,
  new_scheduler_reward_ratio numeric(78) not null,
  primary key (block, log)
);
create index policy_update_workerpool on policy_update (workerpool, block desc, log desc);

create table dataset_schema (
  dataset text primary key,
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  -- As it was written, and one `path:type` for each leaf.
  json text not null,
  entries text[] not null
);
create index dataset_schema_block on dataset_schema (block desc, log desc);
create index dataset_schema_entries on dataset_schema using gin (entries);

create table category (
  id numeric(78) primary key,
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  name text not null,
  description text not null,
  work_clock_time_ref numeric(78) not null
);
create index category_block on category (block);

create table deal (
  id text primary key,
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  app_order text not null,
  dataset_order text,
  workerpool_order text not null,
  request_order text not null,
  app text not null,
  app_owner text not null,
  app_price numeric(78) not null,
  dataset text,
  dataset_owner text,
  dataset_price numeric(78) not null,
  workerpool text not null,
  workerpool_owner text not null,
  workerpool_price numeric(78) not null,
  trust numeric(78) not null,
  category numeric(78) not null,
  tag text not null,
  requester text not null,
  beneficiary text not null,
  callback text not null,
  params text not null,
  start_time bigint not null,
  bot_first numeric(78) not null,
  bot_size numeric(78) not null,
  worker_stake numeric(78) not null,
  scheduler_reward_ratio numeric(78) not null,
  sponsor text not null,
  -- Where the list of its tasks' datasets lies, if its request names one.
  bulk_cid text
);
create index deal_block on deal (block desc, log desc);
create index deal_app on deal (app);
create index deal_dataset on deal (dataset);
create index deal_workerpool on deal (workerpool);
create index deal_requester on deal (requester);
create index deal_beneficiary on deal (beneficiary);
create index deal_app_order on deal (app_order);
create index deal_dataset_order on deal (dataset_order);
create index deal_workerpool_order on deal (workerpool_order);
create index deal_request_order on deal (request_order);
create index deal_bulk_cid on deal (bulk_cid) where bulk_cid is not null;

create table scheduler_notice (
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  workerpool text not null,
  deal text not null,
  primary key (block, log)
);
create index scheduler_notice_workerpool on scheduler_notice (workerpool, block desc, log desc);

create table task (
  id text primary key,
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  deal text not null,
  index numeric(78) not null,
  contribution_deadline numeric(78) not null,
  final_deadline numeric(78) not null,
  -- Seconds between agreement and the end of revelation.
  reveal_time numeric(78) not null
);
create index task_block on task (block desc, log desc);
create index task_deal on task (deal, index);

-- What happened to a task, this one event as the next. `kind` is the event's name without "Task".
create table task_event (
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  task text not null,
  kind text not null check (kind in ('Initialize', 'Contribute', 'Consensus', 'Reveal', 'Reopen', 'Finalize', 'Claimed', 'Failed')),
  worker text,
  -- The hash contributed or agreed on, the digest revealed, the results, or the cause of a failure.
  value text,
  -- Of a contribution: what seals it, and the address of its enclave's key.
  seal text,
  challenge text,
  -- Of a completion: what the deal's callback is called with.
  callback text,
  primary key (block, log)
);
create index task_event_task on task_event (task, block desc, log desc);
create index task_event_kind on task_event (kind, block desc, log desc);
create index task_event_worker on task_event (worker) where worker is not null;

create table dataset_attached (
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  task text not null,
  dataset text not null,
  dataset_order text not null,
  price numeric(78) not null,
  primary key (block, log)
);
create index dataset_attached_task on dataset_attached (task);
create index dataset_attached_dataset on dataset_attached (dataset);

-- Accurate and faulty contributions, with the worker's score after each.
create table verdict (
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  worker text not null,
  task text not null,
  accurate boolean not null,
  score numeric(78) not null,
  primary key (block, log)
);
create index verdict_worker on verdict (worker, block desc, log desc);

create table order_event (
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  kind text not null check (kind in ('app', 'dataset', 'workerpool', 'request')),
  hash text not null,
  -- A match tells of an order what the deal says of it; a broadcast all of it.
  action text not null check (action in ('matched', 'broadcast', 'signed', 'closed')),
  body jsonb,
  -- A match tells of four orders in one event.
  primary key (block, log, kind)
);
create index order_event_hash on order_event (kind, hash, block, log);

create table transfer (
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  sender text not null,
  receiver text not null,
  amount numeric(78) not null,
  primary key (block, log)
);
create index transfer_sender on transfer (sender, block desc, log desc);
create index transfer_receiver on transfer (receiver, block desc, log desc);

-- What became of locked amounts: Lock, Unlock, Seize and Reward.
create table custody_event (
  block bigint not null references block on delete cascade,
  log int not null,
  transaction text not null,
  kind text not null check (kind in ('Lock', 'Unlock', 'Seize', 'Reward')),
  account text not null,
  amount numeric(78) not null,
  task text,
  primary key (block, log)
);
create index custody_event_account on custody_event (account, block desc, log desc);
create index custody_event_task on custody_event (task) where task is not null;

-- Lists of datasets that requests name by their content's address: what is there does not depend on the chain.
create table bulk_list (
  cid text primary key,
  state text not null check (state in ('wanted', 'known', 'unusable')),
  attempts int not null default 0,
  next_at timestamptz not null default now(),
  reason text
);
create index bulk_list_wanted on bulk_list (next_at) where state = 'wanted';
create table bulk_slice (
  bulk_cid text not null references bulk_list on delete cascade,
  index int not null,
  cid text not null,
  datasets text[] not null,
  dataset_orders jsonb not null,
  primary key (bulk_cid, index)
);
create index bulk_slice_datasets on bulk_slice using gin (datasets);
