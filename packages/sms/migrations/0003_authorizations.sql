-- Signatures of the older form say nothing of when and how often: each counts once.
create table spent_authorization (
  digest text primary key,
  spent_at timestamptz not null default now()
);

-- What was deleted by its owner. Keys of data and secrets of apps leave their row behind, emptied: another one can never take
-- the place of what was granted.
alter table secret add column deleted_at timestamptz;
alter table audit drop constraint audit_action_check;
alter table audit add constraint audit_action_check
  check (action in ('stored', 'updated', 'deleted', 'granted', 'refused'));
