-- Backups and restore drills: what was done last, and whose turn it is. Safe online: new tables.

create table platform.backup_run (
  id          uuid primary key,
  kind        text not null check (kind in ('backup', 'drill')),
  started_at  timestamptz not null,
  finished_at timestamptz not null default clock_timestamp(),
  file        text not null check (length(file) between 1 and 255), -- its name, without a folder
  bytes       bigint,
  row_count   bigint,
  error       text check (length(error) between 1 and 500), -- null: it went well
  check (error is not null or (bytes is not null and row_count is not null))
);
create index backup_run_newest on platform.backup_run (kind, started_at desc);
alter table platform.backup_run owner to zt_owner;
alter table platform.backup_run enable row level security;
alter table platform.backup_run force row level security;
create policy every_row on platform.backup_run to zt_migrate using (true) with check (true);
create policy backup on platform.backup_run for select to zt_backup using (true);
create policy operator_reads on platform.backup_run for select to zt_operator using (true);
create policy operator_records on platform.backup_run for insert to zt_operator with check (true);
grant select on platform.backup_run to zt_backup;
grant select, insert on platform.backup_run to zt_operator;

-- Of several instances, the one that holds the row's lock does it.
create table platform.backup_turn (
  task text primary key check (task in ('backup', 'drill', 'tenant_keys'))
);
insert into platform.backup_turn values ('backup'), ('drill'), ('tenant_keys');
alter table platform.backup_turn owner to zt_owner;
alter table platform.backup_turn enable row level security;
alter table platform.backup_turn force row level security;
create policy every_row on platform.backup_turn to zt_migrate using (true) with check (true);
create policy backup on platform.backup_turn for select to zt_backup using (true);
create policy operator on platform.backup_turn to zt_operator using (true) with check (true);
grant select on platform.backup_turn to zt_backup;
grant select, update on platform.backup_turn to zt_operator; -- locking a row needs update
