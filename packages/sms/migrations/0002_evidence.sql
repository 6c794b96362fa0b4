-- What sessions were judged by. Collateral changes a few times a month, policies less often: each is kept once.
create table judgement (
  hash text primary key,
  collateral jsonb not null,
  policy jsonb not null
);

-- On what each session was given, so that anybody can judge it again. Nothing in it is secret.
create table evidence (
  task_id text not null,
  attempt numeric(78) not null,
  quote bytea not null,
  event_log jsonb not null,
  judgement text not null references judgement (hash),
  at timestamptz not null,
  signature text not null,
  primary key (task_id, attempt),
  foreign key (task_id, attempt) references session (task_id, attempt)
);
create index session_enclave on session (task_id, enclave_address);
