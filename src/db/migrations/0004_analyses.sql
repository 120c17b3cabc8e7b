-- What was observed for a tenant, to be judged again under the current rules: sealed, and found by
-- a blind index of the domain.
-- Safe online: new tables.

do $$
declare
  place record;
begin
  for place in values ('live', 'zt_tenant'), ('sandbox', 'zt_sandbox') loop
    execute format($sql$
      create table %1$I.analysis (
        tenant_id    uuid not null references platform.tenant,
        id           uuid not null,
        domain_index bytea not null check (octet_length(domain_index) = 16),
        observed_at  timestamptz not null,
        expires_at   timestamptz not null,
        sealed       bytea not null, -- canonical JSON (RFC 8785): its digest must not change
        primary key (tenant_id, id)
      );
      create index analysis_newest on %1$I.analysis (tenant_id, domain_index, observed_at desc);
      alter table %1$I.analysis owner to zt_owner;
      alter table %1$I.analysis enable row level security;
      alter table %1$I.analysis force row level security;
      create policy every_row on %1$I.analysis to zt_migrate using (true) with check (true);
      create policy backup on %1$I.analysis for select to zt_backup using (true);
      create policy own_rows on %1$I.analysis to %2$I
        using (tenant_id = (select platform.current_tenant()));
      grant select, insert on %1$I.analysis to %2$I;
      grant select on %1$I.analysis to zt_backup;
    $sql$, place.column1, place.column2);
  end loop;
end $$;
