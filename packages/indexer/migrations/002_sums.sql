-- Sums and latest values follow the rows they are made of: after an insert, and after a block was taken back.

-- Where deposits come from, and what is withdrawn goes to.
create function nobody() returns text language sql immutable as $$
  select '0x0000000000000000000000000000000000000000'
$$;

create function add_transfers() returns trigger language plpgsql as $$
begin
  update account set balance = account.balance + sums.amount from (
    select id, sum(amount) as amount from (
      select sender as id, -amount as amount from changed union all select receiver, amount from changed
    ) as moves where id <> nobody() group by id
  ) as sums where account.id = sums.id;
  return null;
end $$;
create function subtract_transfers() returns trigger language plpgsql as $$
begin
  update account set balance = account.balance - sums.amount from (
    select id, sum(amount) as amount from (
      select sender as id, -amount as amount from changed union all select receiver, amount from changed
    ) as moves where id <> nobody() group by id
  ) as sums where account.id = sums.id;
  return null;
end $$;
create trigger transfer_added after insert on transfer
  referencing new table as changed for each statement execute function add_transfers();
create trigger transfer_removed after delete on transfer
  referencing old table as changed for each statement execute function subtract_transfers();

-- A reward was a transfer: it locks nothing.
create function custody_sign(kind text) returns int language sql immutable as $$
  select case kind when 'Lock' then 1 when 'Unlock' then -1 when 'Seize' then -1 else 0 end
$$;
create function add_custody() returns trigger language plpgsql as $$
begin
  update account set frozen = account.frozen + sums.amount from (
    select account as id, sum(amount * custody_sign(kind)) as amount from changed group by account
  ) as sums where account.id = sums.id;
  return null;
end $$;
create function subtract_custody() returns trigger language plpgsql as $$
begin
  update account set frozen = account.frozen - sums.amount from (
    select account as id, sum(amount * custody_sign(kind)) as amount from changed group by account
  ) as sums where account.id = sums.id;
  return null;
end $$;
create trigger custody_added after insert on custody_event
  referencing new table as changed for each statement execute function add_custody();
create trigger custody_removed after delete on custody_event
  referencing old table as changed for each statement execute function subtract_custody();

create function set_owners() returns trigger language plpgsql as $$
begin
  update asset set owner = latest.receiver from (
    select distinct on (asset_transfer.asset) asset_transfer.asset, receiver from asset_transfer
    where asset_transfer.asset in (select changed.asset from changed)
    order by asset_transfer.asset, block desc, log desc
  ) as latest where asset.id = latest.asset and asset.owner <> latest.receiver;
  return null;
end $$;
create trigger asset_transferred after insert on asset_transfer
  referencing new table as changed for each statement execute function set_owners();
create trigger asset_transfer_removed after delete on asset_transfer
  referencing old table as changed for each statement execute function set_owners();
