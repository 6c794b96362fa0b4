-- Tells one ledger from another: a folder of blocks remembers which one it belongs to.
create table ledger (id uuid primary key default gen_random_uuid());
insert into ledger default values;

-- What was pinned at least once, and is not collected yet. `walked`: all its blocks are in `mark`.
create table root (
  id bigint generated always as identity primary key,
  cid text not null unique,
  walked boolean not null default false
);

-- Who keeps what. `account` is an address of the chain, or where uploads are open the network that they came from.
create table pin (
  number bigint generated always as identity primary key,
  account text not null,
  root bigint not null references root,
  bytes bigint not null,
  pinned_at timestamptz not null default now(),
  unique (account, root)
);
create index pin_root on pin (root);
create index pin_account on pin (account, number) include (bytes, pinned_at);

-- Uploads under way, and the room that is kept for each. Its process shows that it lives; started_at is by its own clock,
-- as the times of the blocks that it writes or touches are.
create table upload (
  id uuid primary key,
  account text not null,
  bytes bigint not null,
  started_at timestamptz not null,
  alive_at timestamptz not null default now()
);
create index upload_account on upload (account);

-- The blocks of each root, by sha2-256. A tree never changes: it is walked once.
create table mark (
  root bigint not null references root on delete cascade,
  digest bytea not null,
  primary key (root, digest)
);
create index mark_digest on mark (digest);

-- Blocks that were there before this ledger: nobody says who wants them, so they stay.
create table kept_block (digest bytea primary key);
