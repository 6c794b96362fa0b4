-- Who wants to be told what, and where. Addresses are checksummed, hashes lower case.
create table subscription (
  id uuid primary key,
  account text not null,
  url text not null,
  -- Conditions: null admits everything.
  kinds text[],
  requester text,
  app text,
  dataset text,
  workerpool text,
  owner text,
  order_hash text,
  -- What deliveries are signed with, encrypted; after a rotation the former one signs too, for a while.
  secret bytea not null,
  former_secret bytea,
  former_until timestamptz,
  created_at timestamptz not null default now(),
  -- One replica at a time sends to a subscription: that keeps its deliveries in order.
  lease uuid,
  leased_until timestamptz not null default '-infinity'
);
create index subscription_account on subscription (account, created_at);

-- What the chain said, one row per event that somebody wanted to know.
create table event (
  id bigint generated always as identity primary key,
  kind text not null,
  block_hash text not null,
  block_number bigint not null,
  block_time timestamptz not null,
  transaction_hash text not null,
  log_index int not null,
  -- As it is sent: json keeps the order of its members.
  data json not null,
  -- The block is no longer part of the chain.
  undone boolean not null default false
);
create unique index event_place on event (block_hash, log_index, kind) where not undone;

-- The outbox: what is to be sent, or was.
create sequence delivery_position;
create table delivery (
  id uuid primary key default gen_random_uuid(),
  subscription uuid not null references subscription on delete cascade,
  -- The order of sending, within a subscription.
  position bigint not null default nextval('delivery_position'),
  kind text not null,
  -- None: the first delivery of a subscription.
  event bigint references event,
  -- The delivery whose event a reorganisation took back.
  undoes uuid,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'parked', 'undone')),
  -- Not before the rows include this block: confirmations.
  due_block bigint not null default 0,
  attempts int not null default 0,
  next_at timestamptz not null default now(),
  expires_at timestamptz not null,
  failure text,
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
create unique index delivery_waiting on delivery (subscription, position) where state = 'waiting';
create index delivery_subscription on delivery (subscription, position);
create index delivery_event on delivery (event);
create index delivery_finished on delivery (finished_at) where state <> 'waiting';
