-- What apps printed, sealed by their enclaves to the beneficiary: the pool cannot read it, and keeps it for a while.
create table printed (
  task_id text not null,
  attempt integer not null,
  stdout text not null,
  stderr text not null,
  at timestamptz not null default now(),
  primary key (task_id, attempt),
  foreign key (task_id, attempt) references lease on delete cascade
);
create index printed_at on printed (at);
