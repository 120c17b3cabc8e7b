-- Usage rows, what is counted of them, and the admission statement: the same in live and sandbox.
-- Safe online: new objects.

-- The arrays of a batch as rows. Functions of their own, since the planner takes a bare unnest for
-- ten rows and compares a thousand keys with a thousand requests one by one.
create function platform.batch_keys(index8s text[], digests text[])
  returns table (index8 text, digest text, no bigint)
  language sql volatile rows 1000 set search_path = pg_catalog, pg_temp
  begin atomic
    select * from unnest(index8s, digests) with ordinality;
  end;
create function platform.batch_arrivals(
  keys integer[], request_ids uuid[], routes smallint[], costs smallint[], scopes integer[],
  addresses inet[], statuses smallint[], latency_buckets smallint[], cache_hits boolean[]
) returns table (
    no integer, request_id uuid, route smallint, cost smallint, scope integer, address inet,
    status smallint, latency_bucket smallint, cache_hit boolean, "position" bigint)
  language sql volatile rows 1000 set search_path = pg_catalog, pg_temp
  begin atomic
    select * from unnest(keys, request_ids, routes, costs, scopes, addresses, statuses,
      latency_buckets, cache_hits) with ordinality;
  end;
alter function platform.batch_keys owner to zt_owner;
alter function platform.batch_arrivals owner to zt_owner;
grant execute on function platform.batch_keys, platform.batch_arrivals to zt_service;

do $migration$
declare
  s record;
  name text;
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
        units          smallint not null,
        plan           text not null,
        primary key (tenant_id, at, request_id)
      );
      grant select, insert, delete, update (status, latency_bucket, cache_hit, units)
        on %1$I.usage to zt_service;

      -- One row a tenant, for its lock alone: whoever holds it decides for the tenant.
      create table %1$I.account (tenant_id uuid primary key);
      -- FOR NO KEY UPDATE takes the right to change a row.
      grant select, insert, update on %1$I.account to zt_service;

      -- What a tenant has used of a calendar month (UTC), but for the slices.
      create table %1$I.period (
        tenant_id uuid not null,
        month     date not null,
        units     bigint not null,
        folded_to bigint not null, -- slices before this one are in it
        primary key (tenant_id, month)
      );
      grant select, insert, update on %1$I.period to zt_service;

      -- …and in slices of time, so that the row that each batch changes is young: while somebody
      -- holds an old snapshot, its dead versions cannot be pruned.
      create table %1$I.slice (
        tenant_id uuid not null,
        month     date not null,
        slice     bigint not null, -- of 5 s, since 1970
        units     integer not null,
        primary key (tenant_id, month, slice)
      );
      grant select, insert, delete, update on %1$I.slice to zt_service;

      -- How far ahead a key or a tenant is of its rate (GCRA's theoretical arrival time), in slices
      -- as well. A crash of the server empties it: one fresh burst at most.
      create unlogged table %1$I.rate (
        tenant_id uuid not null,
        holder    uuid not null, -- a key, or the tenant itself
        slice     bigint not null,
        tat       bigint not null, -- microseconds since 1970
        primary key (tenant_id, holder, slice)
      );
      grant select, insert, delete, update on %1$I.rate to zt_service;

      -- A batch by its id: one whose commit is uncertain is voided by claiming its id.
      create table %1$I.batch (
        id      uuid primary key,
        at      timestamptz not null,
        tenants uuid[] not null
      );
      create index batch_at on %1$I.batch (at);
      alter table %1$I.batch owner to zt_owner;
      grant select, insert, delete on %1$I.batch to zt_service;
      grant select on %1$I.batch to zt_backup;
    $ddl$, s.name);
    foreach name in array array['usage', 'account', 'period', 'slice', 'rate'] loop
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

    -- How many microseconds a key or a tenant is ahead of its rate.
    execute format($ddl$
      create function %1$I.pace(
        tenant_id uuid, holder uuid, rate integer, burst integer, now_us bigint,
        out step float8, out debt float8, out slice bigint
      ) language sql volatile set search_path = pg_catalog, pg_temp
      begin atomic
        select 1e6::float8 / rate,
          -- A clock that went back must not lock anybody out.
          greatest(0, least(coalesce(max(last.tat) - now_us, 0), burst * 1e6::float8 / rate)),
          greatest(now_us / 5000000, max(last.slice))
        from (
          select r.tat, r.slice from %1$I.rate r
            where r.tenant_id = pace.tenant_id and r.holder = pace.holder
            order by r.slice desc limit 1
        ) last;
      end;
    $ddl$, s.name);

    -- Admits a batch: distinct keys, and arrivals that name theirs by its number (from 1). Arrays run
    -- in step; a status that is null follows later in a `done` array. Answers with a row for each
    -- arrival that is refused (its position, from 1); for each key that `introduce` asks for or that
    -- has a limit (minus its number), with whose it is and what is left; and at position 0 with the
    -- time alone. Writes a row for each arrival whose key is known, refused ones too.
    execute format($ddl$
      create function %1$I.admit(
        batch_id uuid, index8s text[], digests text[], introduce integer[],
        keys integer[], request_ids uuid[], routes smallint[], costs smallint[], scopes integer[],
        addresses inet[], statuses smallint[], latency_buckets smallint[], cache_hits boolean[],
        done_tenants uuid[], done_ats timestamptz[], done_requests uuid[], done_statuses smallint[],
        done_latency_buckets smallint[], done_cache_hits boolean[]
      ) returns table (
        "position" integer, reason text, retry_ms bigint, tenant_id uuid, key_id uuid,
        decided_at timestamptz, rate_per_second integer, burst integer, burst_left integer,
        units_per_month bigint, units_left bigint
      )
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      #variable_conflict use_column
      declare
        tenants uuid[];
        this_moment timestamptz;
        now_us bigint;
        this_month date;
        this_slice bigint;
      begin
        select coalesce(array_agg(distinct t order by t), '{}') into tenants from (
          select k.tenant_id as t from unnest(index8s, digests) as a(index8, digest)
            join %1$I.api_key k on k.index8 = a.index8 and k.digest = decode(a.digest, 'hex')
          union all select unnest(done_tenants)
        ) known;
        -- In one order, or two batches would wait for each other. Afterwards the clock is read, and
        -- what follows sees what the last holder committed.
        perform from %1$I.account a
          where a.tenant_id = any (tenants) order by a.tenant_id for no key update;
        if (select count(*) from %1$I.account a where a.tenant_id = any (tenants))
            < cardinality(tenants) then
          insert into %1$I.account select unnest(tenants) order by 1 on conflict do nothing;
        end if;
        this_moment := clock_timestamp();
        now_us := (extract(epoch from this_moment) * 1000000)::bigint;
        this_month := date_trunc('month', this_moment at time zone 'UTC')::date;
        this_slice := now_us / 5000000;
        insert into %1$I.batch (id, at, tenants) values (batch_id, this_moment, tenants);

        if cardinality(done_requests) > 0 then
          perform %1$I.settle(done_tenants, done_ats, done_requests, done_statuses,
            done_latency_buckets, done_cache_hits, this_slice);
        end if;
        if cardinality(request_ids) = 0 then
          return;
        end if;

        return query
          with key as materialized ( -- and how far each is from its limits; rates by GCRA
            select n.no, k.tenant_id, k.id as key_id, k.scopes, k.addresses, t.plan,
              case
                when k.id is null then 'INVALID_KEY'
                when k.revoked_at is not null then 'KEY_REVOKED'
                when k.disabled_at is not null then 'KEY_DISABLED'
                when k.expires_at <= this_moment then 'KEY_EXPIRED'
              end as reason,
              k.requests_per_second as key_rate, k.burst as key_burst,
              kr.step as key_step, kr.debt as key_debt, kr.slice as key_slice,
              p.requests_per_second as tenant_rate, p.burst as tenant_burst,
              tr.step as tenant_step, tr.debt as tenant_debt, tr.slice as tenant_slice,
              q.units_per_month, q.units_left, q.folded_to, p.soft
            from platform.batch_keys(index8s, digests) n
            left join %1$I.api_key k on k.index8 = n.index8 and k.digest = decode(n.digest, 'hex')
            left join platform.tenant t on t.id = k.tenant_id
            left join platform.plan p on p.name = t.plan
            left join lateral %1$I.pace(k.tenant_id, k.id, k.requests_per_second, k.burst, now_us)
              kr on k.requests_per_second is not null
            left join lateral %1$I.pace(t.id, t.id, p.requests_per_second, p.burst, now_us)
              tr on p.requests_per_second is not null
            left join lateral (
              select p.units_per_month, m.folded_to,
                p.units_per_month - coalesce(m.units, 0) - coalesce((
                  select sum(s.units) from %1$I.slice s
                  where s.tenant_id = t.id and s.month = this_month
                    and s.slice >= coalesce(m.folded_to, 0)), 0) as units_left
              from (values (true)) as always
              left join %1$I.period m on m.tenant_id = t.id and m.month = this_month
            ) q on %2$L = 'live'
          ), judged as (
            select a."position", a.request_id, a.route, a.status, a.latency_bucket, a.cache_hit,
              case when %2$L <> 'live' or a.status >= 400 then 0 else a.cost end as cost,
              k.no, k.tenant_id, k.key_id, k.plan,
              floor(k.key_burst - k.key_debt / k.key_step + 1e-6) as key_left,
              floor(k.tenant_burst - k.tenant_debt / k.tenant_step + 1e-6) as tenant_left,
              case when not k.soft then k.units_left end as units_left,
              case
                when k.reason is not null then k.reason
                when k.addresses is not null
                    and not coalesce(a.address <<= any (k.addresses), false)
                  then 'ADDRESS_NOT_ALLOWED'
                when k.scopes & a.scope <> a.scope then 'INSUFFICIENT_SCOPE'
              end as reason
            from platform.batch_arrivals(keys, request_ids, routes, costs, scopes, addresses,
                statuses, latency_buckets, cache_hits) a
            join key k on k.no = a.no
          ), paced as ( -- what a key may, then what its tenant may, then what is left of the month
            select j.*, case
                when j.reason is null and count(*) filter (where j.reason is null)
                    over (partition by j.tenant_id, j.no order by j."position") > j.key_left
                then 'RATE_LIMITED' else j.reason end as paced
            from judged j
          ), shared as (
            select j.*, case
                when j.paced is null and count(*) filter (where j.paced is null)
                    over (partition by j.tenant_id order by j.no, j."position") > j.tenant_left
                then 'RATE_LIMITED' else j.paced end as shared
            from paced j
          ), decided as materialized (
            select j.*, case
                when j.shared is null and j.cost > 0 and sum(j.cost) filter (where j.shared is null)
                    over (partition by j.tenant_id order by j.no, j."position") > j.units_left
                then 'QUOTA_EXCEEDED' else j.shared end as verdict
            from shared j
          ), recorded as (
            insert into %1$I.usage (tenant_id, request_id, key_id, at, route, status,
                latency_bucket, cache_hit, units, plan)
            select d.tenant_id, d.request_id, d.key_id, this_moment, d.route,
              case
                when d.verdict is null then d.status
                when d.verdict in ('RATE_LIMITED', 'QUOTA_EXCEEDED') then 429
                when d.verdict in ('ADDRESS_NOT_ALLOWED', 'INSUFFICIENT_SCOPE') then 403
                else 401
              end,
              case when d.verdict is null then d.latency_bucket else 0 end,
              case when d.verdict is null then d.cache_hit else false end,
              case when d.verdict is null then d.cost else 0 end,
              d.plan
            from decided d where d.key_id is not null
          ), tally as materialized ( -- what each key, and its tenant, took
            select k.*, coalesce(u.used, 0) as key_used,
              sum(u.used) over of_tenant as tenant_used, sum(u.units) over of_tenant as units
            from key k
            left join (
              select d.no, count(*) filter (where d.reason is null
                  and d.verdict is distinct from 'RATE_LIMITED') as used,
                coalesce(sum(d.cost) filter (where d.verdict is null), 0) as units
              from decided d group by 1
            ) u using (no)
            where k.key_id is not null
            window of_tenant as (partition by k.tenant_id)
          ), charged as (
            insert into %1$I.slice as s (tenant_id, month, slice, units)
              select distinct t.tenant_id, this_month, greatest(this_slice, t.folded_to), t.units
              from tally t where t.units > 0
              on conflict (tenant_id, month, slice) do update set units = s.units + excluded.units
              returning s.tenant_id, s.slice, s.xmax = 0 as fresh
          ), folded as ( -- by the first batch of a slice
            delete from %1$I.slice s using charged c
              where c.fresh and s.tenant_id = c.tenant_id and s.slice < c.slice
              returning s.tenant_id, s.month, s.units, c.slice
          ), totalled as (
            insert into %1$I.period as p (tenant_id, month, units, folded_to)
              select f.tenant_id, f.month, sum(f.units), f.slice from folded f group by 1, 2, 4
              on conflict (tenant_id, month) do update
                set units = p.units + excluded.units, folded_to = excluded.folded_to
          ), moved as (
            insert into %1$I.rate as r (tenant_id, holder, slice, tat)
              select t.tenant_id, t.key_id, t.key_slice,
                now_us + ceil(t.key_debt + t.key_used * t.key_step)::bigint
                from tally t where t.key_step is not null and t.key_used > 0
              union all
              select distinct t.tenant_id, t.tenant_id, t.tenant_slice,
                now_us + ceil(t.tenant_debt + t.tenant_used * t.tenant_step)::bigint
                from tally t where t.tenant_step is not null and t.tenant_used > 0
              on conflict (tenant_id, holder, slice) do update set tat = excluded.tat
              returning r.tenant_id, r.holder, r.slice, r.xmax = 0 as fresh
          ), forgotten as (
            delete from %1$I.rate r using moved m
              where m.fresh and r.tenant_id = m.tenant_id and r.holder = m.holder
                and r.slice < m.slice
          )
          select d."position"::integer, d.verdict,
            case d.verdict
              when 'RATE_LIMITED' then ceil(greatest(
                t.key_debt + (t.key_used + 1 - t.key_burst) * t.key_step,
                t.tenant_debt + (t.tenant_used + 1 - t.tenant_burst) * t.tenant_step) / 1000)::bigint
              when 'QUOTA_EXCEEDED' then ceil(extract(epoch from
                (this_month + interval '1 month') at time zone 'UTC' - this_moment) * 1000)::bigint
            end,
            null::uuid, null::uuid, null::timestamptz, null::integer, null::integer, null::integer,
            null::bigint, null::bigint
          from decided d left join tally t using (no)
          where d.verdict is not null
          union all
          select -t.no::integer, null, null, t.tenant_id, t.key_id, null,
            least(t.key_rate, t.tenant_rate), least(t.key_burst, t.tenant_burst),
            floor(least(t.key_burst - t.key_debt / t.key_step - t.key_used,
              t.tenant_burst - t.tenant_debt / t.tenant_step - t.tenant_used) + 1e-6)::integer,
            t.units_per_month, greatest(0, t.units_left - t.units)::bigint
          from tally t
          where t.key_rate is not null or t.tenant_rate is not null
            or t.units_per_month is not null or t.no = any (introduce)
          union all
          select 0, null, null, null, null, this_moment, null, null, null, null, null;
      end
      $function$;

      -- Writes what admitted requests ended in, once; what ended with 400 or more costs nothing.
      create function %1$I.settle(
        tenants uuid[], ats timestamptz[], requests uuid[], statuses smallint[],
        latency_buckets smallint[], cache_hits boolean[], this_slice bigint
      ) returns void
      language sql volatile set search_path = pg_catalog, pg_temp
      begin atomic
        with done as (
          update %1$I.usage u
            set status = d.status, latency_bucket = d.latency_bucket, cache_hit = d.cache_hit,
              units = case when d.status < 400 then u.units else 0 end
            from unnest(tenants, ats, requests, statuses, latency_buckets, cache_hits)
                as d(tenant_id, at, request_id, status, latency_bucket, cache_hit),
              %1$I.usage old
            where u.tenant_id = d.tenant_id and u.at = d.at and u.request_id = d.request_id
              and u.status is null
              and old.tenant_id = d.tenant_id and old.at = d.at and old.request_id = d.request_id
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
      end;
    $ddl$, s.name, s.name);

    -- Voids a batch whose commit is uncertain. Claims its id: either it never commits, or it had,
    -- and then its arrivals cost nothing and leave no row, for they were answered with 503; so were
    -- those of its `done` arrays, which become that.
    execute format($ddl$
      create function %1$I.void_batch(
        batch_id uuid, request_ids uuid[],
        done_tenants uuid[], done_ats timestamptz[], done_requests uuid[]
      ) returns boolean
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      declare
        batch record;
        this_slice bigint := (extract(epoch from clock_timestamp()) / 5)::bigint;
      begin
        insert into %1$I.batch (id, at, tenants) values (batch_id, clock_timestamp(), done_tenants)
          on conflict (id) do nothing;
        select b.at, b.tenants into batch from %1$I.batch b where b.id = batch_id;
        perform from %1$I.account a
          where a.tenant_id = any (batch.tenants) order by a.tenant_id for no key update;
        with gone as (
          delete from %1$I.usage u
            where u.tenant_id = any (batch.tenants) and u.at = batch.at
              and u.request_id = any (request_ids)
            returning u.tenant_id, u.at, u.units
        ), ended as (
          update %1$I.usage u set status = 503, units = 0
            from unnest(done_tenants, done_ats, done_requests) as d(tenant_id, at, request_id),
              %1$I.usage old
            where u.tenant_id = d.tenant_id and u.at = d.at and u.request_id = d.request_id
              and old.tenant_id = d.tenant_id and old.at = d.at and old.request_id = d.request_id
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
    $ddl$, s.name);
    foreach name in array array['admit', 'pace', 'settle', 'void_batch'] loop
      execute format($ddl$
        alter function %1$I.%2$I owner to zt_service;
        revoke all on function %1$I.%2$I from public;
      $ddl$, s.name, name);
    end loop;
    execute format('grant execute on function %1$I.admit, %1$I.void_batch to zt_runtime', s.name);
  end loop;
end
$migration$;
