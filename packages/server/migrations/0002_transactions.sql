alter table sent_transaction
  -- How often a node took it.
  add column offers int not null default 0,
  -- Since when, and since which block, it offers the fee it offers now: what is left out of blocks for long pays more.
  add column priced_at timestamptz not null default now(),
  add column priced_block bigint,
  -- Which of the hashes was mined, and where: a reorganisation may undo it.
  add column mined_hash text,
  add column mined_block bigint;
create index sent_transaction_mined on sent_transaction (chain_id, account, mined_block) where status = 'mined';
