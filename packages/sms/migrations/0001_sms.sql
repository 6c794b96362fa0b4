-- Secrets, each encrypted under its own data key; the data key is wrapped by the master key named in `master_key`.
-- kind: dataset (a dataset's key), app (an app developer's secret), requester (by name), account (web2, by name).
create table secret (
  kind text not null check (kind in ('dataset', 'app', 'requester', 'account')),
  owner text not null,
  name text not null,
  master_key text not null,
  wrapped_key bytea not null,
  ciphertext bytea not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (kind, owner, name)
);
create index secret_master_key on secret (master_key);

-- Nonces given to enclaves. Each is for one attempt at one task, lives shortly and counts once.
create table session_nonce (
  nonce text primary key,
  task_id text not null,
  attempt numeric(78) not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index session_nonce_expiry on session_nonce (expires_at);

-- Sessions granted: written before the answer leaves, so that no attempt ever opens two.
create table session (
  task_id text not null,
  attempt numeric(78) not null,
  deal_id text not null,
  index numeric(78) not null,
  worker text not null,
  enclave_key text not null,
  enclave_address text not null,
  nonce text not null unique,
  measurement text not null,
  simulated boolean not null,
  created_at timestamptz not null default now(),
  primary key (task_id, attempt)
);

-- What happened to which secret, and why a session was refused to somebody who held a lease. Never a value.
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  action text not null check (action in ('stored', 'updated', 'granted', 'refused')),
  kind text,
  owner text,
  name text,
  task_id text,
  attempt numeric(78),
  worker text,
  enclave_address text,
  reason text
);
create index audit_task on audit (task_id);
create index audit_owner on audit (owner);
