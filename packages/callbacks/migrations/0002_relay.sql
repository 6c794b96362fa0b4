-- Results whose callback contract may not have got them: what the relay on chain may have to deliver again.
create table relay (
  task_id text primary key,
  consumer text not null,
  -- Where the task was completed: a reorganisation takes it back.
  block_hash text not null,
  -- Not before the rows include this block: confirmations.
  due_block bigint not null,
  -- taken: the consumer waits for nothing (any more). parked: it could not be delivered in time.
  state text not null default 'waiting' check (state in ('waiting', 'relayed', 'taken', 'parked')),
  attempts int not null default 0,
  next_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- One replica at a time tries.
  lease uuid,
  leased_until timestamptz not null default '-infinity',
  -- Of the transaction that is on its way, and what it may use at most.
  transaction_id uuid,
  gas numeric(78),
  sent_at timestamptz,
  failure text
);
create index relay_waiting on relay (next_at) where state = 'waiting';
create index relay_block on relay (block_hash);
create index relay_sent on relay (sent_at) where sent_at is not null;
