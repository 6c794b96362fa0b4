-- Workers that registered by signature. `seen_at` is their last sign of life.
create table worker (
  address text primary key,
  name text not null,
  registered_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);

-- Deals made with this pool, as the chain told them. Times are unix seconds of the chain.
create table deal (
  deal_id text primary key,
  requester text not null,
  app jsonb not null,
  trust numeric(78) not null,
  tag text not null,
  max_seconds bigint not null,
  contribution_deadline bigint not null,
  final_deadline bigint not null,
  first numeric(78) not null,
  size numeric(78) not null,
  -- How many of its tasks are in `task`: a deal may have more tasks than anyone would store at once.
  stored numeric(78) not null default 0,
  block_number bigint not null,
  check (stored <= size)
);
create index deal_unstored on deal (contribution_deadline) where stored < size;
create index deal_block on deal (block_number);

-- One row per task. `attempt` counts leases, `failures` the attempts that ended in a fault worth retrying.
create table task (
  task_id text primary key,
  deal_id text not null references deal on delete cascade,
  index numeric(78) not null,
  status text not null default 'RECEIVED'
    check (status in ('RECEIVED', 'LEASED', 'RUNNING', 'COMPLETED', 'FAILED')),
  attempt integer not null default 0,
  failures integer not null default 0,
  contribution_deadline bigint not null,
  final_deadline bigint not null,
  cause text,
  message text,
  -- After a failure worth retrying, not at once.
  not_before timestamptz not null default now(),
  -- The replica that claims it for the payer has until then.
  claiming_until timestamptz not null default '-infinity',
  -- Set when the chain says so, and only then: how the task ended there, and where.
  settlement text check (settlement in ('finalized', 'claimed')),
  settled_by text,
  settled_block bigint,
  unique (deal_id, index),
  check ((settlement is null) = (settled_block is null))
);
create index task_open on task (contribution_deadline, deal_id, index) where status = 'RECEIVED';
create index task_leased on task (task_id) where status in ('LEASED', 'RUNNING');
create index task_unsettled on task (final_deadline) where settlement is null;
create index task_settled on task (settled_block) where settlement is not null;

-- One row per attempt: the primary key is what makes it impossible to lease one attempt twice.
create table lease (
  task_id text not null references task on delete cascade,
  attempt integer not null,
  worker text not null references worker,
  expiry bigint not null,
  status text not null default 'STARTING',
  open boolean not null default true,
  beat_at timestamptz not null default now(),
  cause text,
  message text,
  transaction text,
  primary key (task_id, attempt)
);
create index lease_open on lease (beat_at) where open;
create index lease_worker on lease (worker) where open;

-- What happened to a task, in order; `attempt` is null where it concerns the task as a whole.
create table transition (
  id bigint generated always as identity primary key,
  task_id text not null references task on delete cascade,
  attempt integer,
  status text not null,
  modifier text not null check (modifier in ('WORKER', 'POOL_MANAGER', 'CHAIN')),
  at timestamptz not null default clock_timestamp(),
  cause text,
  message text,
  transaction text,
  block_number bigint
);
create index transition_task on transition (task_id, id);
create index transition_block on transition (block_number) where block_number is not null;

-- The pool's own order on the market, one row per order signed; `current` is the one kept fresh.
create table offer (
  order_hash text primary key,
  terms text not null,
  signed_order jsonb not null,
  current boolean not null default true,
  signed_at timestamptz not null default now()
);
create unique index offer_current on offer (current) where current;
