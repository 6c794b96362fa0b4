-- The order book. Addresses are checksummed, hashes lower case, amounts exact integers.
create table book (
  hash text primary key,
  kind text not null check (kind in ('app', 'dataset', 'workerpool', 'request')),
  signer text not null,
  -- What the order names: its own asset, or whom it admits (zero = everybody), or what the request asks for.
  app text not null,
  dataset text not null,
  workerpool text not null,
  requester text not null,
  beneficiary text not null,
  price numeric(78) not null,
  -- Locked from the signer's stake for each task.
  stake_per_task numeric(78) not null,
  volume numeric(78) not null,
  category numeric(78) not null,
  trust numeric(78) not null,
  tag bit(256) not null,
  -- The whole signed order, numbers as decimal strings.
  signed jsonb not null,
  published_at timestamptz not null,
  -- Derived from the chain's rows below, by refresh().
  remaining numeric(78) not null,
  status text not null check (status in ('open', 'filled', 'canceled', 'dead'))
);
create index book_app on book (kind, app, price, published_at, hash) where status = 'open';
create index book_dataset on book (kind, dataset, price, published_at, hash) where status = 'open';
create index book_workerpool on book (kind, workerpool, price, published_at, hash) where status = 'open';
create index book_requester on book (kind, requester, price, published_at, hash) where status = 'open';
create index book_category on book (kind, category, price, published_at, hash) where status = 'open';
create index book_price on book (kind, price, published_at, hash) where status = 'open';
create index book_signer on book (signer, kind);

-- What the chain said, one row per event, each with the block it came in: a reorganisation deletes the block's rows.

create table deal (
  dealid text primary key,
  block_hash text not null,
  block_number bigint not null,
  block_time timestamptz not null,
  transaction_hash text not null,
  log_index int not null,
  app_hash text not null,
  dataset_hash text not null,
  workerpool_hash text not null,
  request_hash text not null,
  volume numeric(78) not null,
  requester text not null,
  app text not null,
  dataset text not null,
  workerpool text not null,
  details jsonb not null
);
create index deal_block on deal (block_hash);
create index deal_requester on deal (requester, block_number desc, log_index desc);
create index deal_app_hash on deal (app_hash);
create index deal_dataset_hash on deal (dataset_hash);
create index deal_workerpool_hash on deal (workerpool_hash);
create index deal_request_hash on deal (request_hash);

create table closing (
  block_hash text not null,
  log_index int not null,
  order_hash text not null,
  primary key (block_hash, log_index)
);
create index closing_order on closing (order_hash);

create table asset_transfer (
  block_hash text not null,
  log_index int not null,
  block_number bigint not null,
  asset text not null,
  owner text not null,
  primary key (block_hash, log_index)
);
create index asset_transfer_asset on asset_transfer (asset, block_number desc, log_index desc);

create table stake_change (
  block_hash text not null,
  account text not null,
  amount numeric(78) not null,
  primary key (block_hash, account)
);
create table stake (
  account text primary key,
  amount numeric(78) not null
);

create table category (
  id numeric(78) primary key,
  block_hash text not null,
  name text not null,
  description text not null,
  work_clock_time_ref numeric(78) not null
);
