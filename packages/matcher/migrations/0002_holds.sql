-- What became of an attempt is what became of its transaction, whoever sent it: any replica reads it from there.
alter table attempt
  add column transaction_id uuid,
  -- Who pays: null is the requester. What it costs, in nRLC: at most, while it is under way; then what the deal locked.
  add column sponsor text,
  add column cost numeric(78) not null default 0;
update attempt set transaction_id = (
  select id from sent_transaction where attempt.transaction_hash = any(hashes) order by created_at desc limit 1);
update attempt set status = 'failed', failure = 'its transaction is not known'
  where status = 'sent' and transaction_id is null;
create index attempt_transaction on attempt (transaction_id);
create index attempt_sponsor on attempt (sponsor, created_at) where status <> 'failed' and sponsor is not null;

-- Tasks of an order, and nRLC of an account, that matches under way will use up: nobody else may count on them.
create table hold (
  request_hash text not null,
  consumed numeric(78) not null,
  what text not null,
  amount numeric(78) not null,
  -- Whoever read the chain before this moment does not know yet what became of it, and must count it still.
  released_at timestamptz,
  primary key (request_hash, consumed, what),
  foreign key (request_hash, consumed) references attempt on delete cascade
);
create index hold_active on hold (what) where released_at is null;
create index hold_released on hold (released_at) where released_at is not null;
