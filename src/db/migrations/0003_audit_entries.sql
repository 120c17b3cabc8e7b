-- The audit log's entries, unnumbered: who did what, in the transaction that did it.
-- Safe online: all of it is new.

create table audit.entry (
  id        uuid primary key,
  at        timestamptz not null default clock_timestamp(),
  actor     text not null check (length(actor) between 1 and 200),
  action    text not null check (action ~ '^[a-z_]+\.[a-z_]+$'),
  tenant_id uuid, -- no reference: an entry outlives what it tells of
  subject   text not null check (length(subject) between 1 and 200),
  details   jsonb not null check (jsonb_typeof(details) = 'object')
);
alter table audit.entry owner to zt_owner;
alter table audit.entry enable row level security;
alter table audit.entry force row level security;
create policy reads on audit.entry for select to zt_migrate, zt_backup using (true);
create policy appends on audit.entry for insert to zt_migrate, zt_service with check (true);
-- Insert only, the owner and whoever inherits it included.
revoke update, delete, truncate on audit.entry from zt_owner;
grant insert on audit.entry to zt_service;
grant select on audit.entry to zt_backup;

create function audit.append(
  id uuid, actor text, action text, tenant_id uuid, subject text, details jsonb
) returns void
  language sql security definer
  set search_path = pg_catalog, pg_temp
  begin atomic
    insert into audit.entry (id, actor, action, tenant_id, subject, details)
      values (append.id, append.actor, append.action, append.tenant_id, append.subject, append.details);
  end;
alter function audit.append(uuid, text, text, uuid, text, jsonb) owner to zt_service;
grant execute on function audit.append(uuid, text, text, uuid, text, jsonb) to zt_operator;
