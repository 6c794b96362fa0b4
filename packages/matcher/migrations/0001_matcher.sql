-- One row per deal that this matcher tries to make: a request order, from a given number of used tasks on. The Hub derives
-- the deal's id from the same pair, so a pair that is here is never sent again, by any replica.
create table attempt (
  request_hash text not null,
  consumed numeric(78) not null,
  transaction_hash text not null,
  status text not null check (status in ('sent', 'matched', 'failed')),
  deal_id text,
  failure text,
  created_at timestamptz not null default now(),
  primary key (request_hash, consumed)
);
create index attempt_sent on attempt (created_at) where status = 'sent';
