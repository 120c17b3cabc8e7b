-- The life of a key: who issued it, who disabled it, what replaced it; keys that manage keys.
-- Safe online: new nullable columns, new tables, a new function.

-- A customer's own entry: of the transaction's tenant, by a key. Another's name is no actor, which
-- the table refuses.
grant execute on function platform.current_tenant() to zt_service;
create function audit.append_own(id uuid, actor text, action text, subject text, details jsonb)
  returns void
  language sql security definer
  set search_path = pg_catalog, pg_temp
  begin atomic
    insert into audit.entry (id, actor, action, tenant_id, subject, details)
      values (
        append_own.id,
        case when append_own.actor ~ '^key_[0-9a-z]{26}$' and append_own.action ~ '^key\.'
          and platform.current_tenant() is not null then append_own.actor end,
        append_own.action, platform.current_tenant(), append_own.subject, append_own.details);
  end;
alter function audit.append_own(uuid, text, text, text, jsonb) owner to zt_service;
grant usage on schema audit to zt_tenant, zt_sandbox;
grant execute on function audit.append_own(uuid, text, text, text, jsonb) to zt_tenant, zt_sandbox;

do $$
declare
  place record;
begin
  for place in values ('live', 'zt_tenant'), ('sandbox', 'zt_sandbox') loop
    execute format($sql$
      alter table %1$I.api_key
        add column issued_by   text check (length(issued_by) between 1 and 200),   -- as in audit.entry
        add column disabled_by text check (length(disabled_by) between 1 and 200),
        add column replaced_by uuid;
      grant select (scopes, addresses, requests_per_second, burst, issued_by, disabled_by, replaced_by)
        on %1$I.api_key to zt_operator, %2$I;
      grant update (expires_at, scopes, addresses, disabled_by, replaced_by) on %1$I.api_key to zt_operator;
      grant insert,
        update (sealed_name, expires_at, disabled_at, disabled_by, revoked_at, replaced_by)
        on %1$I.api_key to %2$I;
      -- What is revoked stays revoked, whatever a customer's role says.
      create policy revoked_for_good on %1$I.api_key as restrictive for update to %2$I
        using (revoked_at is null) with check (true);

      -- An operator sees when a key was last used, and nothing else of what was asked.
      create policy operator_last_use on %1$I.usage for select to zt_operator using (true);
      grant select (tenant_id, key_id, at) on %1$I.usage to zt_operator;

      -- What an Idempotency-Key made: the key's id, from which the answer is told again, without
      -- the secret. Both digests are SHA-256.
      create table %1$I.idempotency (
        tenant_id      uuid not null,
        key_id         uuid not null, -- who asked
        header_digest  bytea not null check (octet_length(header_digest) = 32),
        request_digest bytea not null check (octet_length(request_digest) = 32),
        made           uuid not null,
        created_at     timestamptz not null default clock_timestamp(),
        primary key (tenant_id, key_id, header_digest)
      );
      create index idempotency_age on %1$I.idempotency (tenant_id, created_at);
      alter table %1$I.idempotency owner to zt_owner;
      alter table %1$I.idempotency enable row level security;
      alter table %1$I.idempotency force row level security;
      create policy every_row on %1$I.idempotency to zt_migrate using (true) with check (true);
      create policy backup on %1$I.idempotency for select to zt_backup using (true);
      create policy own_rows on %1$I.idempotency to %2$I
        using (tenant_id = (select platform.current_tenant()));
      grant select on %1$I.idempotency to zt_backup;
      grant select, insert, delete on %1$I.idempotency to %2$I;
    $sql$, place.column1, place.column2);
  end loop;
end $$;
