-- Usage rows and the admission statement, the same in live and sandbox. Safe online: new objects.
do $migration$
declare
  s record;
begin
  for s in select * from (values ('live', 'zt_tenant'), ('sandbox', 'zt_sandbox')) as x(name, customer)
  loop
    -- One row an answer to a known tenant. Nothing personal, and nothing of a request's content.
    -- A status that is null: the request was admitted and its outcome is not known (yet).
    execute format($ddl$
      create table %1$I.usage (
        tenant_id      uuid not null,
        request_id     uuid not null,
        key_id         uuid not null,
        at             timestamptz not null,
        route          smallint not null,
        status         smallint,
        latency_bucket smallint,
        cache_hit      boolean,
        plan           text not null,
        primary key (tenant_id, at, request_id)
      );
      alter table %1$I.usage enable row level security;
      alter table %1$I.usage force row level security;
      create policy own_rows on %1$I.usage for select to %2$I
        using (tenant_id = (select platform.current_tenant()));
      create policy service on %1$I.usage to zt_service using (true) with check (true);
      create policy every_row on %1$I.usage to zt_migrate using (true) with check (true);
      create policy backup on %1$I.usage for select to zt_backup using (true);
      grant select on %1$I.usage to %2$I, zt_backup;
      grant select, insert, update (status, latency_bucket, cache_hit) on %1$I.usage to zt_service;
      alter table %1$I.usage owner to zt_owner;
    $ddl$, s.name, s.customer);

    -- Admits a batch. Arrays run in step; a status that is null follows later in a `done` array.
    -- Answers with the positions (from 1) that are refused, with whose key it is where `introduce`
    -- asks, and at position 0 with the time alone. Writes a row for each arrival whose key is known,
    -- refused ones too.
    execute format($ddl$
      create function %1$I.admit(
        index8s text[], digests text[], request_ids uuid[], routes smallint[],
        statuses smallint[], latency_buckets smallint[], cache_hits boolean[], introduce integer[],
        done_tenants uuid[], done_ats timestamptz[], done_requests uuid[], done_statuses smallint[],
        done_latency_buckets smallint[], done_cache_hits boolean[]
      ) returns table (
        "position" integer, reason text, tenant_id uuid, key_id uuid, decided_at timestamptz
      )
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      #variable_conflict use_column
      declare
        this_moment timestamptz := clock_timestamp();
      begin
        if cardinality(done_requests) > 0 then
          update %1$I.usage u
            set status = d.status, latency_bucket = d.latency_bucket, cache_hit = d.cache_hit
            from unnest(done_tenants, done_ats, done_requests, done_statuses, done_latency_buckets,
                done_cache_hits)
              as d(tenant_id, at, request_id, status, latency_bucket, cache_hit)
            where u.tenant_id = d.tenant_id and u.at = d.at and u.request_id = d.request_id
              and u.status is null;
        end if;
        if cardinality(request_ids) = 0 then
          return;
        end if;
        return query
          with arrival as (
            select a.*
            from unnest(index8s, digests, request_ids, routes, statuses, latency_buckets, cache_hits)
              with ordinality
              as a(index8, digest, request_id, route, status, latency_bucket, cache_hit, "position")
          ), judged as (
            select a.*, k.tenant_id, k.id as key_id, t.plan,
              case
                when k.id is null then 'INVALID_KEY'
                when k.revoked_at is not null then 'KEY_REVOKED'
                when k.disabled_at is not null then 'KEY_DISABLED'
                when k.expires_at <= this_moment then 'KEY_EXPIRED'
              end as reason
            from arrival a
            left join %1$I.api_key k on k.index8 = a.index8 and k.digest = decode(a.digest, 'hex')
            left join platform.tenant t on t.id = k.tenant_id
          ), recorded as (
            insert into %1$I.usage
              (tenant_id, request_id, key_id, at, route, status, latency_bucket, cache_hit, plan)
            select j.tenant_id, j.request_id, j.key_id, this_moment, j.route,
              case when j.reason is null then j.status else 401 end,
              case when j.reason is null then j.latency_bucket else 0 end,
              case when j.reason is null then j.cache_hit else false end,
              j.plan
            from judged j where j.key_id is not null
          )
          select j."position"::integer, j.reason, j.tenant_id, j.key_id, this_moment
          from judged j
          where j.reason is not null or j."position" = any (introduce)
          union all
          select 0, null, null, null, this_moment;
      end
      $function$;
      alter function %1$I.admit owner to zt_service;
      revoke all on function %1$I.admit from public;
      grant execute on function %1$I.admit to zt_runtime;
    $ddl$, s.name);
  end loop;
end
$migration$;
