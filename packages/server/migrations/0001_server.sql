-- Where each chain watcher stands. The genesis hash tells one chain from another with the same id.
create table follow_cursor (
  name text primary key,
  genesis text not null,
  number bigint not null,
  hash text not null
);

-- The hash of every block that left rows, and of the recent ones: how a reorganisation is noticed and measured.
create table follow_block (
  name text not null references follow_cursor on delete cascade,
  number bigint not null,
  hash text not null,
  touched boolean not null,
  primary key (name, number)
);

-- Nonces of signed requests until they expire: each counts once.
create table used_nonce (
  account text not null,
  nonce text not null,
  expires_at timestamptz not null,
  primary key (account, nonce)
);
create index used_nonce_expiry on used_nonce (expires_at);

-- Login challenges handed out and not used yet.
create table challenge (
  hash text primary key,
  account text not null,
  expires_at timestamptz not null
);
create index challenge_expiry on challenge (expires_at);

-- Every transaction, written before it is sent. Replacements of one (same nonce, higher fee) share its id.
create table sent_transaction (
  id uuid primary key,
  chain_id bigint not null,
  account text not null,
  nonce bigint not null,
  reference text,
  hashes text[] not null,
  raw text not null,
  status text not null check (status in ('pending', 'mined', 'dropped')),
  created_at timestamptz not null default now(),
  sent_at timestamptz not null default now()
);
create unique index sent_transaction_nonce on sent_transaction (chain_id, account, nonce) where status <> 'dropped';
create index sent_transaction_reference on sent_transaction (reference);
create index sent_transaction_pending on sent_transaction (chain_id, account) where status = 'pending';
