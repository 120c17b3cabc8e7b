-- What was observed for a tenant, to be judged again under the current rules.
-- Safe online: new tables.

do $$
declare
  place record;
begin
  for place in values ('live', 'zt_tenant'), ('sandbox', 'zt_sandbox') loop
    execute format($sql$
      create table %1$I.analysis (
        tenant_id   uuid not null references platform.tenant,
        id          uuid not null,
        domain      text not null check (length(domain) between 1 and 253),
        observed_at timestamptz not null,
        expires_at  timestamptz not null,
        observation text not null, -- canonical JSON (RFC 8785): its digest must not change
        primary key (tenant_id, id)
      );
      create index analysis_newest on %1$I.analysis (tenant_id, domain, observed_at desc);
      alter table %1$I.analysis owner to zt_owner;
      alter table %1$I.analysis enable row level security;
      alter table %1$I.analysis force row level security;
      create policy every_row on %1$I.analysis to zt_migrate using (true) with check (true);
      create policy own_rows on %1$I.analysis to %2$I
        using (tenant_id = (select platform.current_tenant()));
      grant select, insert on %1$I.analysis to %2$I;
    $sql$, place.column1, place.column2);
  end loop;
end $$;
