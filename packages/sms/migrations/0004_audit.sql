-- The audit log from here on: each entry holds the hash of the one before, and the head the number and hash of the last, so
-- that nothing can be changed or taken out unseen. `secrets` lists [kind, owner, name]; never a value. The table `audit` keeps
-- what was written before, unchained.
create table audit_entry (
  sequence bigint primary key,
  at timestamptz not null,
  action text not null check (action in ('stored', 'updated', 'deleted', 'session', 'rewrapped')),
  outcome text not null check (outcome in ('done', 'refused')),
  actor text,
  secrets jsonb not null,
  task_id text,
  attempt numeric(78),
  enclave_address text,
  reason text,
  previous text not null,
  hash text not null
);
create index audit_entry_task on audit_entry (task_id);
create index audit_entry_secrets on audit_entry using gin (secrets jsonb_path_ops);

-- One row, locked by whoever appends: so replicas write one chain.
create table audit_head (
  is_only boolean primary key default true check (is_only),
  sequence bigint not null,
  hash text not null
);
insert into audit_head (sequence, hash) values (0, repeat('0', 64));
