-- A task may also end by a failure that its enclave signed.
alter table task drop constraint task_settlement_check;
alter table task add constraint task_settlement_check check (settlement in ('finalized', 'failed', 'claimed'));
