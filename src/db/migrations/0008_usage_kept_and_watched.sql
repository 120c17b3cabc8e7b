-- Retention of usage and observations, days in place of rows that were deleted, unknown keys by minute,
-- and aggregates for health. Safe online: new tables and functions; the new policies on analysis take
-- its lock for a moment, within the lock_timeout.

-- Of several instances, the one that holds the row's lock does it.
create table platform.maintenance_turn (task text primary key);
alter table platform.maintenance_turn owner to zt_owner;
grant select, update on platform.maintenance_turn to zt_service; -- locking a row needs update
grant select on platform.maintenance_turn to zt_backup;

grant usage on schema live, sandbox to zt_health;

do $migration$
declare
  s record;
  name text;
begin
  for s in select * from (values ('live', 'zt_tenant'), ('sandbox', 'zt_sandbox')) as x(name, customer)
  loop
    insert into platform.maintenance_turn select s.name || '.' || task
      from unnest(array['usage', 'analysis', 'batch', 'rate', 'unknown_key']) task;

    execute format($ddl$
      -- Usage rows that are past retention, added up: reports stay equal to what was charged.
      create table %1$I.usage_day (
        tenant_id uuid not null,
        day       date not null, -- in UTC
        key_id    uuid not null,
        route     smallint not null,
        status    smallint not null, -- 0: the outcome is not known
        requests  bigint not null,
        units     bigint not null,
        primary key (tenant_id, day, key_id, route, status)
      );
      alter table %1$I.usage_day enable row level security;
      alter table %1$I.usage_day force row level security;
      create policy every_row on %1$I.usage_day to zt_migrate using (true) with check (true);
      create policy backup on %1$I.usage_day for select to zt_backup using (true);
      create policy own_rows on %1$I.usage_day for select to %2$I
        using (tenant_id = (select platform.current_tenant()));
      create policy service on %1$I.usage_day to zt_service using (true) with check (true);
      grant select on %1$I.usage_day to %2$I, zt_backup;
      grant select, insert, update on %1$I.usage_day to zt_service;
      alter table %1$I.usage_day owner to zt_owner;

      -- Requests with well-formed keys that nobody has: counted, since a row each would be the flood's.
      create table %1$I.unknown_key (
        minute   timestamptz primary key,
        requests bigint not null
      );
      grant select, insert, update, delete on %1$I.unknown_key to zt_service;
      grant select on %1$I.unknown_key to zt_health, zt_backup;
      alter table %1$I.unknown_key owner to zt_owner;

      -- The service sees no observation that is still good, and of the others not what is in them.
      create policy retention on %1$I.analysis to zt_service
        using (expires_at <= (select statement_timestamp()));
      grant select (tenant_id, id, expires_at), delete on %1$I.analysis to zt_service;

      create function %1$I.count_unknown_keys(in_minute timestamptz, requests integer) returns void
      language sql volatile security definer set search_path = pg_catalog, pg_temp
      begin atomic
        insert into %1$I.unknown_key as k (minute, requests) values (in_minute, requests)
          on conflict (minute) do update set requests = k.requests + excluded.requests;
      end;

      -- Answers of all tenants together. A status class of null: the outcome is not known.
      create function %1$I.traffic(since timestamptz, until timestamptz)
        returns table (route smallint, status_class smallint, latency_bucket smallint, requests bigint)
      language sql stable security definer set search_path = pg_catalog, pg_temp
      begin atomic
        select u.route, (u.status / 100)::smallint, u.latency_bucket, count(*)
          from %1$I.usage u where u.at >= since and u.at < until group by 1, 2, 3;
      end;

      -- Deletes what is kept no longer, that many rows at most. Answers how many it were; null where
      -- another instance is at it. Nothing that it deletes does admission still use.
      create function %1$I.retain(what text, at_most integer) returns integer
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      declare
        removed integer;
        now_us bigint := (extract(epoch from clock_timestamp()) * 1000000)::bigint;
      begin
        perform from platform.maintenance_turn t
          where t.task = %1$L || '.' || what for update skip locked;
        if not found then
          return null;
        end if;
        case what
          when 'usage' then -- whole days; what they add up to stays
            with old as (
              select u.tenant_id, u.at, u.request_id
                from platform.tenant t
                join platform.plan p on p.name = t.plan
                cross join lateral (
                  select u.tenant_id, u.at, u.request_id from %1$I.usage u
                    where u.tenant_id = t.id and u.at < date_trunc('day',
                      clock_timestamp() - make_interval(days => p.retention_days), 'UTC')
                    order by u.at limit at_most
                ) u
                limit at_most
            ), gone as (
              delete from %1$I.usage u using old o
                where u.tenant_id = o.tenant_id and u.at = o.at and u.request_id = o.request_id
                returning u.*
            ), added as (
              insert into %1$I.usage_day as d
                  (tenant_id, day, key_id, route, status, requests, units)
                select g.tenant_id, (g.at at time zone 'UTC')::date, g.key_id, g.route,
                    coalesce(g.status, 0), count(*), sum(g.units)
                  from gone g group by 1, 2, 3, 4, 5
                on conflict (tenant_id, day, key_id, route, status) do update
                  set requests = d.requests + excluded.requests, units = d.units + excluded.units
            )
            select count(*) into removed from gone;
          when 'analysis' then
            delete from %1$I.analysis a using (
                select tenant_id, id from %1$I.analysis
                  where expires_at <= statement_timestamp() order by expires_at limit at_most
              ) old
              where a.tenant_id = old.tenant_id and a.id = old.id;
            get diagnostics removed = row_count;
          when 'batch' then -- nobody voids one that is an hour old
            delete from %1$I.batch b using (
                select id from %1$I.batch
                  where at < clock_timestamp() - interval '1 hour' order by at limit at_most
              ) old
              where b.id = old.id;
            get diagnostics removed = row_count;
          when 'rate' then -- ahead of nothing any more, as no row would be
            delete from %1$I.rate r using (
                select tenant_id, holder, slice from %1$I.rate
                  where tat < now_us - 3600000000 and slice < now_us / 5000000 - 720
                  limit at_most for update skip locked
              ) idle
              where r.tenant_id = idle.tenant_id and r.holder = idle.holder
                and r.slice = idle.slice;
            get diagnostics removed = row_count;
          when 'unknown_key' then
            delete from %1$I.unknown_key k using (
                select minute from %1$I.unknown_key
                  where minute < clock_timestamp() - interval '30 days' limit at_most
              ) old
              where k.minute = old.minute;
            get diagnostics removed = row_count;
        end case;
        return removed;
      end
      $function$;
    $ddl$, s.name, s.customer);
    foreach name in array array['count_unknown_keys', 'traffic', 'retain'] loop
      execute format($ddl$
        alter function %1$I.%2$I owner to zt_service;
        revoke all on function %1$I.%2$I from public;
      $ddl$, s.name, name);
    end loop;
    execute format('grant execute on function %1$I.count_unknown_keys, %1$I.retain to zt_runtime', s.name);
    execute format('grant execute on function %1$I.traffic to zt_health', s.name);
  end loop;
end
$migration$;
