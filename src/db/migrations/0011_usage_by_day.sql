-- Usage in partitions by day, added up by hour and day; when each key was last used.
-- Safe online, but for the usage rows that are there: they are copied under the table's lock, some
-- seconds a million, while admission answers 503.

insert into platform.maintenance_turn
  select s || '.' || task from unnest(array['live', 'sandbox']) s,
    unnest(array['usage_days', 'usage_hour']) task;

do $migration$
declare
  s record;
  name text;
begin
  for s in select * from (values ('live', 'zt_tenant'), ('sandbox', 'zt_sandbox')) as x(name, customer)
  loop
    execute format($ddl$
      lock table %1$I.usage in access exclusive mode;
      alter table %1$I.usage rename to usage_before;
      alter index %1$I.usage_pkey rename to usage_before_pkey;
      drop index %1$I.usage_at, %1$I.usage_running;

      -- No default partition: attaching another locks it against all, and an admission would wait.
      create table %1$I.usage (
        tenant_id      uuid not null,
        request_id     uuid not null,
        key_id         uuid not null,
        at             timestamptz not null,
        route          smallint not null,
        status         smallint,
        latency_bucket smallint,
        cache_hit      boolean,
        units          smallint not null,
        plan           text not null,
        primary key (tenant_id, at, request_id)
      ) partition by range (at);
      -- For what asks by time alone, a little of a day: rolling up, health's aggregates.
      create index usage_at on %1$I.usage using brin (at) with (autosummarize = on);
      create index usage_running on %1$I.usage (tenant_id, at) where status is null; -- as 0010 has it

      -- What hours and days add up to, and key by key when it was last used.
      create table %1$I.usage_hour (
        tenant_id      uuid not null,
        hour           timestamptz not null,
        key_id         uuid not null,
        route          smallint not null,
        status         smallint not null, -- 0: the outcome is not known
        plan           text not null,
        cache_hit      boolean not null,
        latency_bucket smallint not null, -- -1: not known
        requests       bigint not null,
        units          bigint not null,
        primary key (tenant_id, hour, key_id, route, status, plan, cache_hit, latency_bucket)
      );
      create index usage_hour_hour on %1$I.usage_hour (hour);
      alter table %1$I.usage_day
        add column plan           text not null default '', -- not known, of days before this
        add column cache_hit      boolean not null default false,
        add column latency_bucket smallint not null default -1,
        drop constraint usage_day_pkey,
        add primary key (tenant_id, day, key_id, route, status, plan, cache_hit, latency_bucket);
      create table %1$I.key_use (
        tenant_id uuid not null,
        key_id    uuid not null,
        at        timestamptz not null,
        primary key (tenant_id, key_id)
      );
      grant select, insert, update on %1$I.key_use to zt_service;
      grant select, insert, delete on %1$I.usage_hour to zt_service;
      grant select, insert, delete, update (status, latency_bucket, cache_hit, units)
        on %1$I.usage to zt_service;
      grant select (tenant_id, key_id, at) on %1$I.usage, %1$I.key_use to zt_operator;
      create policy operator_last_use on %1$I.usage for select to zt_operator using (true);
      create policy operator_last_use on %1$I.key_use for select to zt_operator using (true);

      -- How far the maintenance is. Hours before closed_to are in usage_hour, whole days before it in
      -- usage_day too; rows before it never change any more.
      create table %1$I.usage_progress (
        one       boolean primary key default true check (one),
        closed_to timestamptz not null,
        used_to   timestamptz not null, -- key_use knows of rows before it
        swept_on  date, -- when rows that a plan does not keep were last looked for,
        swept_to  date  -- and in days before this one
      );
      grant select on %1$I.usage_progress to %2$I, zt_operator, zt_backup;
      grant select, update on %1$I.usage_progress to zt_service;
      insert into %1$I.usage_progress (closed_to, used_to)
        select date_trunc('hour', coalesce(min(at), clock_timestamp()), 'UTC'), clock_timestamp()
          from %1$I.usage_before;
      alter table %1$I.usage_progress owner to zt_owner;
    $ddl$, s.name, s.customer);
    foreach name in array array['usage', 'usage_hour', 'key_use'] loop
      execute format($ddl$
        alter table %1$I.%3$I enable row level security;
        alter table %1$I.%3$I force row level security;
        create policy every_row on %1$I.%3$I to zt_migrate using (true) with check (true);
        create policy backup on %1$I.%3$I for select to zt_backup using (true);
        create policy own_rows on %1$I.%3$I for select to %2$I
          using (tenant_id = (select platform.current_tenant()));
        create policy service on %1$I.%3$I to zt_service using (true) with check (true);
        grant select on %1$I.%3$I to %2$I, zt_backup;
        alter table %1$I.%3$I owner to zt_owner;
      $ddl$, s.name, s.customer, name);
    end loop;

    -- Makes a day's partition where there is none, secured as the parent is before anybody can reach
    -- it, then attaches it, which waits for no reader and no writer, and none for it.
    execute format($ddl$
      create function %1$I.add_usage_day(day date) returns boolean
      language plpgsql volatile strict set search_path = pg_catalog, pg_temp
      as $function$
      declare
        parent constant regclass := '%1$I.usage';
        part constant text := '%1$I.usage_' || to_char(day, 'YYYYMMDD');
        statement text;
      begin
        if to_regclass(part) is not null then
          return false;
        end if;
        execute 'create table ' || part || ' (like ' || parent || ' including all)';
        for statement in
          select 'grant ' || a.privilege_type || ' on ' || part || ' to '
              || quote_ident(pg_get_userbyid(a.grantee))
            from pg_class c, aclexplode(c.relacl) a where c.oid = parent and a.grantee <> c.relowner
          union all
          select 'grant ' || a.privilege_type || ' (' || quote_ident(t.attname) || ') on ' || part
              || ' to ' || quote_ident(pg_get_userbyid(a.grantee))
            from pg_attribute t, aclexplode(t.attacl) a where t.attrelid = parent
          union all
          select 'create policy ' || quote_ident(p.policyname) || ' on ' || part || ' as '
              || p.permissive || ' for ' || p.cmd || ' to ' || array_to_string(p.roles, ', ')
              || coalesce(' using (' || p.qual || ')', '')
              || coalesce(' with check (' || p.with_check || ')', '')
            from pg_policies p where p.schemaname = %1$L and p.tablename = 'usage'
        loop
          execute statement;
        end loop;
        execute 'alter table ' || part || ' enable row level security';
        execute 'alter table ' || part || ' force row level security';
        execute 'alter table ' || part || ' owner to zt_owner';
        execute 'alter table ' || parent || ' attach partition ' || part || ' for values from ('
          || quote_literal(to_char(day, 'YYYY-MM-DD') || ' 00:00+00') || ') to ('
          || quote_literal(to_char(day + 1, 'YYYY-MM-DD') || ' 00:00+00') || ')';
        return true;
      end
      $function$;
      alter function %1$I.add_usage_day owner to zt_owner;

      -- Partitions from yesterday (a clock may go back) to so many days ahead, a week at most.
      create function %1$I.extend_usage(ahead integer) returns void
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      declare
        today constant date := (clock_timestamp() at time zone 'UTC')::date;
        last constant integer := least(ahead, 7);
      begin
        if exists (select from generate_series(-1, last) n
            where to_regclass('%1$I.usage_' || to_char(today + n, 'YYYYMMDD')) is null) then
          perform from platform.maintenance_turn t where t.task = '%1$I.usage_days' for update;
          perform %1$I.add_usage_day(today + n) from generate_series(-1, last) n;
        end if;
      end
      $function$;
      alter function %1$I.extend_usage owner to zt_owner;
      grant execute on function %1$I.extend_usage to zt_runtime;

      -- Drops the oldest day's partition if it is over before that day and added up; answers which.
      -- While somebody reads that day, lock_not_available comes before anybody queues behind; then the
      -- parent is waited for a moment, which admissions wait as well.
      create function %1$I.drop_usage_day(before date) returns date
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
        set lock_timeout = '50ms'
      as $function$
      declare
        oldest date;
        part text;
      begin
        select min(to_date(right(c.relname, 8), 'YYYYMMDD')) into oldest
          from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = '%1$I.usage'::regclass;
        if oldest >= before or (oldest + 1)::timestamp at time zone 'UTC' >
            (select p.closed_to from %1$I.usage_progress p) is not false then
          return null;
        end if;
        part := '%1$I.usage_' || to_char(oldest, 'YYYYMMDD');
        execute 'lock table ' || part || ' in access exclusive mode nowait';
        execute 'drop table ' || part;
        return oldest;
      end
      $function$;
      alter function %1$I.drop_usage_day owner to zt_owner;
      grant execute on function %1$I.drop_usage_day to zt_service;

      -- The same, of days that nobody's plan keeps.
      create function %1$I.drop_expired_usage() returns date
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      begin
        perform from platform.maintenance_turn t
          where t.task = '%1$I.usage_days' for update skip locked;
        if not found then
          return null;
        end if;
        return %1$I.drop_usage_day((clock_timestamp() at time zone 'UTC')::date - (
          select max(p.retention_days) from platform.plan p
            where exists (select from platform.tenant t where t.plan = p.name)));
      end
      $function$;

      -- Closes hours that have been over for three hours, for two seconds at most: by then no outcome
      -- is taken any more (settle), even if the clock went back an hour. Answers how many; null where
      -- another instance is at it. An hour and its mark are one transaction: none is closed twice.
      create function %1$I.roll_up_usage() returns integer
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
        set plan_cache_mode = force_custom_plan
      as $function$
      declare
        started constant timestamptz := clock_timestamp();
        due constant timestamptz := date_trunc('hour', started, 'UTC') - interval '3 hours';
        closing timestamptz;
        closing_to timestamptz;
        closed integer := 0;
      begin
        perform from platform.maintenance_turn t
          where t.task = '%1$I.usage' for update skip locked; -- as retain takes it: one of them at a time
        if not found then
          return null;
        end if;
        select p.closed_to into closing from %1$I.usage_progress p;
        while closing < due and clock_timestamp() < started + interval '2 seconds' loop
          closing_to := closing + interval '1 hour';
          with part as materialized (
            select u.tenant_id, u.key_id, u.route, coalesce(u.status, 0) as status, u.plan,
                coalesce(u.cache_hit, false) as cache_hit,
                coalesce(u.latency_bucket, -1) as latency_bucket,
                count(*) as requests, sum(u.units) as units, max(u.at) as at
              from %1$I.usage u where u.at >= closing and u.at < closing_to
              group by 1, 2, 3, 4, 5, 6, 7
          ), summed as (
            insert into %1$I.usage_hour (tenant_id, hour, key_id, route, status, plan, cache_hit,
                latency_bucket, requests, units)
              select p.tenant_id, closing, p.key_id, p.route, p.status, p.plan, p.cache_hit,
                p.latency_bucket, p.requests, p.units
              from part p
          )
          insert into %1$I.key_use as k (tenant_id, key_id, at)
            select p.tenant_id, p.key_id, max(p.at) from part p group by 1, 2
            on conflict (tenant_id, key_id) do update set at = excluded.at
              where k.at < excluded.at;
          if closing_to = date_trunc('day', closing_to, 'UTC') then
            insert into %1$I.usage_day as d (tenant_id, day, key_id, route, status, plan, cache_hit,
                latency_bucket, requests, units)
              select h.tenant_id, (closing at time zone 'UTC')::date, h.key_id, h.route, h.status,
                h.plan, h.cache_hit, h.latency_bucket, sum(h.requests), sum(h.units)
              from %1$I.usage_hour h where h.hour >= closing_to - interval '24 hours' and h.hour < closing_to
              group by 1, 2, 3, 4, 5, 6, 7, 8
              on conflict (tenant_id, day, key_id, route, status, plan, cache_hit, latency_bucket)
                do update set requests = d.requests + excluded.requests,
                  units = d.units + excluded.units;
          end if;
          update %1$I.usage_progress set closed_to = closing_to;
          closing := closing_to;
          closed := closed + 1;
        end loop;
        return closed;
      end
      $function$;

      -- Remembers which keys were used since it last looked; a minute more, for what commits late.
      create function %1$I.note_last_use() returns void
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
        set plan_cache_mode = force_custom_plan
      as $function$
      declare
        this_moment constant timestamptz := clock_timestamp();
        since timestamptz;
      begin
        perform from platform.maintenance_turn t
          where t.task = '%1$I.usage' for update skip locked;
        if not found then
          return;
        end if;
        select greatest(p.used_to, p.closed_to) - interval '1 minute' into since
          from %1$I.usage_progress p;
        insert into %1$I.key_use as k (tenant_id, key_id, at)
          select u.tenant_id, u.key_id, max(u.at) from %1$I.usage u where u.at >= since group by 1, 2
          on conflict (tenant_id, key_id) do update set at = excluded.at where k.at < excluded.at;
        update %1$I.usage_progress set used_to = this_moment;
      end
      $function$;

      -- Writes what admitted requests ended in, once; what ended with 400 or more costs nothing. What
      -- comes more than an hour late is not taken: hours are closed some time. The bounds are known
      -- when it is planned, so that no other partition is locked or opened.
      create or replace function %1$I.settle(
        tenants uuid[], ats timestamptz[], requests uuid[], statuses smallint[],
        latency_buckets smallint[], cache_hits boolean[], this_slice bigint
      ) returns void
      language plpgsql volatile set search_path = pg_catalog, pg_temp
        set plan_cache_mode = force_custom_plan
      as $function$
      declare
        earliest timestamptz := 'infinity';
        latest timestamptz := '-infinity';
        moment timestamptz;
      begin
        foreach moment in array ats loop
          if moment < earliest then earliest := moment; end if;
          if moment > latest then latest := moment; end if;
        end loop;
        earliest := greatest(earliest, clock_timestamp() - interval '1 hour');
        if (400 <= any (statuses)) is not true then -- most often; a plan half as long
          update %1$I.usage u
            set status = d.status, latency_bucket = d.latency_bucket, cache_hit = d.cache_hit
            from unnest(tenants, ats, requests, statuses, latency_buckets, cache_hits)
                as d(tenant_id, at, request_id, status, latency_bucket, cache_hit)
            where u.tenant_id = d.tenant_id and u.at = d.at and u.request_id = d.request_id
              and u.status is null and u.at between earliest and latest;
          return;
        end if;
        with done as (
          update %1$I.usage u
            set status = d.status, latency_bucket = d.latency_bucket, cache_hit = d.cache_hit,
              units = case when d.status < 400 then u.units else 0 end
            from unnest(tenants, ats, requests, statuses, latency_buckets, cache_hits)
                as d(tenant_id, at, request_id, status, latency_bucket, cache_hit),
              %1$I.usage old
            where u.tenant_id = d.tenant_id and u.at = d.at and u.request_id = d.request_id
              and u.status is null and u.at between earliest and latest
              and old.tenant_id = d.tenant_id and old.at = d.at and old.request_id = d.request_id
              and old.at between earliest and latest
            returning u.tenant_id, u.at, old.units - u.units as refund
        ), refund as (
          select tenant_id, date_trunc('month', at at time zone 'UTC')::date as month,
            sum(refund) as units
          from done where refund > 0 group by 1, 2
        )
        insert into %1$I.slice as s (tenant_id, month, slice, units)
          select r.tenant_id, r.month, greatest(this_slice, p.folded_to), -r.units
          from refund r
          left join %1$I.period p on p.tenant_id = r.tenant_id and p.month = r.month
          on conflict (tenant_id, month, slice) do update set units = s.units + excluded.units;
      end
      $function$;

      create or replace function %1$I.void_batch(
        batch_id uuid, request_ids uuid[],
        done_tenants uuid[], done_ats timestamptz[], done_requests uuid[]
      ) returns boolean
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
        set plan_cache_mode = force_custom_plan
      as $function$
      declare
        batch record;
        this_slice bigint := (extract(epoch from clock_timestamp()) / 5)::bigint;
        young constant timestamptz := clock_timestamp() - interval '1 hour'; -- as settle takes
      begin
        insert into %1$I.batch (id, at, tenants) values (batch_id, clock_timestamp(), done_tenants)
          on conflict (id) do nothing;
        select b.at, b.tenants into batch from %1$I.batch b where b.id = batch_id;
        perform from %1$I.account a
          where a.tenant_id = any (batch.tenants) order by a.tenant_id for no key update;
        with gone as (
          delete from %1$I.usage u
            where u.tenant_id = any (batch.tenants) and u.at = batch.at and u.at >= young
              and u.request_id = any (request_ids)
            returning u.tenant_id, u.at, u.units
        ), ended as (
          update %1$I.usage u set status = 503, units = 0
            from unnest(done_tenants, done_ats, done_requests) as d(tenant_id, at, request_id),
              %1$I.usage old
            where u.tenant_id = d.tenant_id and u.at = d.at and u.request_id = d.request_id
              and u.at >= young
              and old.tenant_id = d.tenant_id and old.at = d.at and old.request_id = d.request_id
              and old.at >= young
            returning u.tenant_id, u.at, old.units
        ), refund as (
          select tenant_id, date_trunc('month', at at time zone 'UTC')::date as month,
            sum(units) as units
          from (select * from gone union all select * from ended) undone
          group by 1, 2 having sum(units) > 0
        )
        insert into %1$I.slice as s (tenant_id, month, slice, units)
          select r.tenant_id, r.month, greatest(this_slice, p.folded_to), -r.units
          from refund r
          left join %1$I.period p on p.tenant_id = r.tenant_id and p.month = r.month
          on conflict (tenant_id, month, slice) do update set units = s.units + excluded.units;
        return batch.at is not null;
      end
      $function$;

      create or replace function %1$I.traffic(since timestamptz, until timestamptz)
        returns table (route smallint, status_class smallint, latency_bucket smallint, requests bigint)
      language plpgsql stable security definer set search_path = pg_catalog, pg_temp
        set plan_cache_mode = force_custom_plan
      as $function$
      begin
        return query
          select u.route, (u.status / 100)::smallint, u.latency_bucket, count(*)
            from %1$I.usage u where u.at >= since and u.at < until group by 1, 2, 3;
      end
      $function$;

      -- Deletes what is kept no longer, about that many rows at most. Answers how many it were, or
      -- that many where there may be more; null where another instance is at it. Nothing that it
      -- deletes does admission still use.
      create or replace function %1$I.retain(what text, at_most integer) returns integer
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
        set plan_cache_mode = force_custom_plan
      as $function$
      declare
        removed integer := 0;
        more integer;
        started constant timestamptz := clock_timestamp();
        now_us constant bigint := (extract(epoch from started) * 1000000)::bigint;
        today constant date := (started at time zone 'UTC')::date;
        sweeping date;
        last date;
      begin
        perform from platform.maintenance_turn t
          where t.task = %1$L || '.' || what for update skip locked;
        if not found then
          return null;
        end if;
        case what
          when 'usage' then -- of plans that keep less than the longest, a day at a time, once a day
            select case when p.swept_on = today then p.swept_to else first.day end,
                least((p.closed_to at time zone 'UTC')::date, today - plans.shortest) - 1
              into sweeping, last
              from %1$I.usage_progress p, (
                select min(to_date(right(c.relname, 8), 'YYYYMMDD')) as day
                  from pg_inherits i join pg_class c on c.oid = i.inhrelid
                  where i.inhparent = '%1$I.usage'::regclass
              ) first, (
                select min(p.retention_days) as shortest from platform.plan p
                  where exists (select from platform.tenant t where t.plan = p.name)
              ) plans;
            while sweeping <= last and removed < at_most
                and clock_timestamp() < started + interval '1 second' loop
              with old as (
                select u.tenant_id, u.at, u.request_id
                  from platform.plan p
                  join platform.tenant t on t.plan = p.name
                  join %1$I.usage u on u.tenant_id = t.id
                  where p.retention_days < today - sweeping
                    and u.at >= sweeping::timestamp at time zone 'UTC'
                    and u.at < (sweeping + 1)::timestamp at time zone 'UTC'
                  limit at_most - removed
              )
              delete from %1$I.usage u using old o
                where u.tenant_id = o.tenant_id and u.at = o.at and u.request_id = o.request_id
                  and u.at >= sweeping::timestamp at time zone 'UTC'
                  and u.at < (sweeping + 1)::timestamp at time zone 'UTC';
              get diagnostics more = row_count;
              removed := removed + more;
              if removed < at_most then
                sweeping := sweeping + 1;
              end if;
            end loop;
            update %1$I.usage_progress set swept_on = today, swept_to = sweeping;
            if sweeping <= last then
              removed := at_most;
            end if;
          when 'usage_hour' then -- days stay
            delete from %1$I.usage_hour h using (
                select h.tenant_id, h.hour from %1$I.usage_hour h, %1$I.usage_progress p
                  where h.hour < least(p.closed_to, started) - interval '35 days'
                  group by 1, 2 order by 2 limit at_most
              ) old
              where h.tenant_id = old.tenant_id and h.hour = old.hour;
            get diagnostics removed = row_count;
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
    $ddl$, s.name);
    foreach name in array array['drop_expired_usage', 'roll_up_usage', 'note_last_use', 'traffic'] loop
      execute format($ddl$
        alter function %1$I.%2$I owner to zt_service;
        revoke all on function %1$I.%2$I from public;
      $ddl$, s.name, name);
    end loop;
    foreach name in array array['add_usage_day', 'extend_usage', 'drop_usage_day'] loop
      execute format('revoke all on function %1$I.%2$I from public', s.name, name);
    end loop;
    execute format('grant execute on function %1$I.drop_expired_usage, %1$I.roll_up_usage,
      %1$I.note_last_use to zt_runtime', s.name);

    for name in
      execute format('select distinct (at at time zone %2$L)::date::text from %1$I.usage_before
        union select (now() at time zone %2$L)::date + n || %3$L from generate_series(-1, 2) n',
        s.name, 'UTC', '')
    loop
      execute format('select %1$I.add_usage_day(%2$L)', s.name, name);
    end loop;
    execute format('insert into %1$I.usage select * from %1$I.usage_before;
      drop table %1$I.usage_before', s.name);
  end loop;
end
$migration$;
