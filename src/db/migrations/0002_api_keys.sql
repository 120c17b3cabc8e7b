-- API keys. Only the SHA-256 is kept; the key is shown once. Safe online: new tables.

do $$
declare
  place record;
begin
  for place in values ('live', 'zt_tenant'), ('sandbox', 'zt_sandbox') loop
    execute format($sql$
      create table %1$I.api_key (
        tenant_id   uuid not null references platform.tenant,
        id          uuid not null,
        sealed_name bytea not null,
        index8      text not null check (length(index8) = 8),
        digest      bytea not null check (octet_length(digest) = 32),
        created_at  timestamptz not null default clock_timestamp(),
        expires_at  timestamptz,
        disabled_at timestamptz,
        revoked_at  timestamptz,
        scopes      integer not null default 3, -- bits: keys/scopes.ts
        addresses   cidr[] check (cardinality(addresses) between 1 and 100),
        requests_per_second integer check (requests_per_second between 1 and 1000000),
        burst       integer check (burst between 1 and 10000000),
        check ((requests_per_second is null) = (burst is null)),
        primary key (tenant_id, id)
      );
      create index api_key_index8 on %1$I.api_key (index8); -- of 47 bits: not unique
      alter table %1$I.api_key owner to zt_owner;
      alter table %1$I.api_key enable row level security;
      alter table %1$I.api_key force row level security;
      create policy every_row on %1$I.api_key to zt_migrate using (true) with check (true);
      create policy backup on %1$I.api_key for select to zt_backup using (true);
      create policy service on %1$I.api_key to zt_service using (true) with check (true);
      create policy operator on %1$I.api_key to zt_operator using (true) with check (true);
      create policy own_rows on %1$I.api_key to %2$I
        using (tenant_id = (select platform.current_tenant()));
      grant select on %1$I.api_key to zt_service, zt_backup;
      grant select (tenant_id, id, sealed_name, index8, created_at, expires_at, disabled_at, revoked_at)
        on %1$I.api_key to zt_operator, %2$I;
      grant insert, update (sealed_name, disabled_at, revoked_at) on %1$I.api_key to zt_operator;
    $sql$, place.column1, place.column2);
  end loop;
end $$;
