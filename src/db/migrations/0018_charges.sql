-- What a month was charged is one row a tenant, which says the whole, and so is a rate. A row is changed fifty
-- times, then the next version takes its place: however long somebody holds an old snapshot, what cannot be
-- pruned is never more than that, and only the newest version is ever read. That the tables have few rows
-- must not mislead the planner: versions are looked for one by one, never by a join.
-- The functions for older instances that 0005 made go: they count in slices.
-- Safe online: what admits waits while the rows are moved, a second a hundred thousand tenants; what an older
-- instance's GET /v1/usage asks is not there any more.

drop type platform.standing;
create type platform.standing as (
  no              integer,
  tenant_id       uuid,
  key_id          uuid,
  reason          text, -- why it is not good; null: it is
  scopes          integer,
  addresses       inet[],
  key_rate        integer,
  key_burst       integer,
  key_step        float8,
  key_debt        float8,
  key_version     bigint, -- of the row of its rate, as is what follows; null: there is none
  key_changes     integer,
  tenant_rate     integer,
  tenant_burst    integer,
  tenant_step     float8,
  tenant_debt     float8,
  tenant_version  bigint,
  tenant_changes  integer,
  concurrency     integer,
  units_per_month bigint,
  units_left      bigint,
  soft            boolean
);
alter type platform.standing owner to zt_owner;

do $migration$
declare
  s record;
  change record;
  definition text;
begin
  for s in select * from (values ('live'), ('sandbox')) as x(name)
  loop
    execute format($ddl$
      lock table %1$I.account in exclusive mode; -- nobody is admitted meanwhile
      drop function %1$I.admit, %1$I.pace, %1$I.settle;

      alter table %1$I.slice alter column units type bigint;
      with gone as (
        delete from %1$I.slice returning tenant_id, month, units
      )
      insert into %1$I.slice (tenant_id, month, slice, units)
        select g.tenant_id, g.month, 0, sum(g.units)
          from (select * from gone union all select p.tenant_id, p.month, p.units from %1$I.period p) g
          group by 1, 2;
      drop table %1$I.period;
      alter table %1$I.slice rename to charge;
      alter index %1$I.slice_pkey rename to charge_pkey;
      alter table %1$I.charge rename column slice to version;
      alter table %1$I.charge add column changes integer not null default 0;
      alter table %1$I.rate rename column slice to version;
      alter table %1$I.rate add column changes integer not null default 0;

      -- Writes what admitted requests ended in, once; what ended with 400 or more costs nothing. What
      -- comes more than 90 minutes late is not taken: hours are closed some time. The bounds are known
      -- when it is planned, so that no other partition is locked or opened.
      create function %1$I.settle(
        tenants uuid[], ats timestamptz[], requests uuid[], statuses smallint[],
        latency_buckets smallint[], cache_hits boolean[]
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
        earliest := greatest(earliest, clock_timestamp() - interval '90 minutes');
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
        insert into %1$I.charge as c (tenant_id, month, version, units, changes)
          select r.tenant_id, r.month, q.version, r.units, 0
            from refund r cross join lateral (
              select c.version from %1$I.charge c
                where c.tenant_id = r.tenant_id and c.month = r.month order by c.version desc limit 1
            ) q
          on conflict (tenant_id, month, version)
            do update set units = c.units - excluded.units, changes = c.changes + 1;
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
        young constant timestamptz := clock_timestamp() - interval '90 minutes'; -- as settle takes
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
        insert into %1$I.charge as c (tenant_id, month, version, units, changes)
          select r.tenant_id, r.month, q.version, r.units, 0
            from refund r cross join lateral (
              select c.version from %1$I.charge c
                where c.tenant_id = r.tenant_id and c.month = r.month order by c.version desc limit 1
            ) q
          on conflict (tenant_id, month, version)
            do update set units = c.units - excluded.units, changes = c.changes + 1;
        return batch.at is not null;
      end
      $function$;

    $ddl$, s.name);
    execute format('alter function %1$I.settle owner to zt_service;
      revoke all on function %1$I.settle from public', s.name);

    -- Admits a batch: distinct keys, with what their arrivals want together; kinds of arrivals; and
    -- arrivals, which name their key and their kind by its number (from 1). Arrays run in step; a
    -- status that is null follows later in a `done` array, a cost is nought where it is 400 or more.
    -- `lock_tenants` are those of the keys, but for keys to introduce, and of what is done; a key of
    -- any other is unknown. `plain` is a guess that nobody is refused and no key has a rate of its own:
    -- whether it is so is looked at first, and the guess matters to nothing else. Answers with the time;
    -- with each arrival that is refused: its position (from 1), why, milliseconds to wait; with each key
    -- that `introduce` asks for: its number and whose it is; and with limits and what is left, by tenant
    -- or, where the guess was wrong, by the number of a key.
    -- Writes a row for each arrival whose key is known, refused ones too.
    execute format($ddl$
      create or replace function %1$I.admit_batch(
        batch_id uuid, plain boolean, index8s text[], digests text[], introduce integer[],
        keys integer[], request_ids uuid[], kinds integer[], addresses text, lock_tenants uuid[],
        wanted integer[], wanted_units integer[], wanted_scopes integer[],
        routes smallint[], costs smallint[], scopes integer[], statuses smallint[],
        latency_buckets smallint[], cache_hits boolean[],
        done_tenants uuid[], done_ats timestamptz[], done_requests uuid[], done_statuses smallint[],
        done_latency_buckets smallint[], done_cache_hits boolean[]
      ) returns json
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
        -- Plans are kept, and must not be those of tables that were empty when they were made.
        set plan_cache_mode = force_generic_plan set jit = off
        set enable_seqscan = off set enable_bitmapscan = off set enable_mergejoin = off set enable_memoize = off
      as $function$
      #variable_conflict use_column
      declare
        most constant integer not null := 50; -- changes of a version
        tenants uuid[]; -- those that are locked
        this_moment timestamptz;
        now_us bigint;
        this_month date;
        standings platform.standing[];
        tenant_ids uuid[]; -- by the number of a key, as are the six that follow
        key_ids uuid[];
        plans text[];
        key_used bigint[]; -- of its rate
        key_units bigint[];
        tenant_used bigint[]; -- of its tenant's
        tenant_units bigint[];
        all_fit boolean;
        has_rate boolean not null := false;
        has_quota boolean not null := false;
        old record; -- a version of a rate
        charged_tenants uuid[]; -- whose charge has a new version
        charged_versions bigint[];
        unpruned boolean not null := false; -- rates have new versions
        verdicts text[]; -- by arrival; null where all are served
        runs constant boolean not null := array_position(statuses, null) is not null;
        refusals json;
        introduced json;
        limits json;
        tenant_limits json;
        limited boolean;
        holders uuid[]; -- of rates, where each is a tenant's, as are the three that follow
        tats bigint[];
        rate_versions bigint[];
        rate_changes integer[];
      begin
        if cardinality(introduce) > 0 then
          tenants := array(select k.tenant_id from unnest(introduce) i
            join %1$I.api_key k on k.index8 = index8s[i] and k.digest = decode(digests[i], 'hex'));
          insert into %1$I.account select distinct t from unnest(tenants) t order by 1
            on conflict do nothing;
          lock_tenants := lock_tenants || tenants;
        end if;
        -- In one order, or two batches would wait for each other. Afterwards the clock is read, and
        -- what follows sees what the last holder committed.
        tenants := array(select a.tenant_id from %1$I.account a
          where a.tenant_id = any (lock_tenants) order by a.tenant_id for no key update);
        this_moment := clock_timestamp();
        now_us := (extract(epoch from this_moment) * 1000000)::bigint;
        this_month := date_trunc('month', this_moment at time zone 'UTC')::date;
        insert into %1$I.batch (id, at, tenants) values (batch_id, this_moment, tenants);

        if cardinality(done_requests) > 0 then
          perform %1$I.settle(done_tenants, done_ats, done_requests, done_statuses,
            done_latency_buckets, done_cache_hits);
        end if;
        if cardinality(request_ids) = 0 then
          return null;
        end if;

        if plain then
          -- Most often every key is good, and has no limits but its tenant's.
          select array_agg(k.tenant_id), array_agg(k.id), array_agg(k.plan), bool_and(k.plain),
              bool_or(k.limited)
            into tenant_ids, key_ids, plans, all_fit, limited
            from (
              select k.tenant_id, k.id, t.plan,
                k.revoked_at is null and k.disabled_at is null and k.addresses is null
                  and k.scopes & n.scope = n.scope and (k.expires_at <= this_moment) is not true
                  and k.requests_per_second is null and (p.concurrency is null or not runs)
                  and p.name is not null as plain,
                p.requests_per_second is not null or p.units_per_month is not null as limited
              from unnest(index8s, digests, wanted_scopes) with ordinality
                as n(index8, digest, scope, no)
              left join %1$I.api_key k
                on k.index8 = n.index8 and k.digest = decode(n.digest, 'hex')
                and k.tenant_id = any (tenants)
              left join platform.tenant t on t.id = k.tenant_id
              left join platform.plan p on p.name = t.plan
              order by n.no
            ) k;
          if all_fit and limited then
            select array_agg(k.tenant_id), array_agg(k.tat), array_agg(k.version),
                array_agg(k.changes), coalesce(bool_or(k.changes >= most), false),
                bool_and((k.wanted <= k.room) is not false
                  and (k.soft or k.cost = 0 or k.cost <= k.units_left) is not false),
                json_agg(json_build_array(k.tenant_id, k.requests_per_second, k.burst,
                  k.room - k.wanted, k.units_per_month, greatest(0, k.units_left - k.cost)))
              into holders, tats, rate_versions, rate_changes, unpruned, all_fit, tenant_limits
              from (
                select w.tenant_id, w.wanted, w.cost, p.requests_per_second, p.burst, p.soft,
                  now_us + ceil(d.debt + w.wanted * d.step)::bigint as tat,
                  floor(p.burst - d.debt / d.step + 1e-6) as room,
                  r.version, r.changes, p.units_per_month,
                  p.units_per_month - coalesce(q.units, 0) as units_left
                from (
                  select k.tenant_id, sum(k.wanted) as wanted,
                      case when %2$L = 'live' then sum(k.units) else 0 end as cost
                    from unnest(tenant_ids, wanted, wanted_units) as k(tenant_id, wanted, units)
                    group by 1
                ) w
                left join platform.tenant t on t.id = w.tenant_id
                left join platform.plan p on p.name = t.plan
                left join lateral (
                  select r.tat, r.version, r.changes from %1$I.rate r
                    where r.tenant_id = w.tenant_id and r.holder = w.tenant_id
                    order by r.version desc limit 1
                ) r on p.requests_per_second is not null
                cross join lateral (
                  select 1e6::float8 / p.requests_per_second as step,
                    platform.debt(r.tat - now_us, p.requests_per_second, p.burst) as debt
                ) d
                left join lateral (
                  select c.units from %1$I.charge c
                    where c.tenant_id = w.tenant_id and c.month = this_month
                    order by c.version desc limit 1
                ) q on %2$L = 'live'
              ) k;
            if all_fit then
              insert into %1$I.rate as r (tenant_id, holder, version, tat, changes)
                select h.id, h.id, coalesce(h.version + (h.changes >= most)::integer, 0), h.tat,
                    case when h.changes < most then h.changes + 1 else 0 end
                  from unnest(holders, rate_versions, tats, rate_changes) as h(id, version, tat, changes)
                  where h.tat is not null
                on conflict (tenant_id, holder, version)
                  do update set tat = excluded.tat, changes = excluded.changes;
              if unpruned then
                for n in 1..cardinality(holders) loop
                  if rate_changes[n] >= most then
                    delete from %1$I.rate r where r.tenant_id = holders[n] and r.holder = holders[n]
                      and r.version = rate_versions[n];
                  end if;
                end loop;
                unpruned := false;
              end if;
            else
              tenant_limits := null;
            end if;
          end if;
        end if;

        if all_fit is not true then
          -- Where each key stands, and whether all that its arrivals want can be had. A key that was
          -- made since the accounts were locked is not there yet.
          select
              array_agg(row(k.no, k.tenant_id, k.id, k.reason, k.scopes, k.addresses, k.key_rate,
                k.key_burst, k.key_step, k.key_debt, k.key_version, k.key_changes, k.tenant_rate,
                k.tenant_burst, k.tenant_step, k.tenant_debt, k.tenant_version, k.tenant_changes,
                k.concurrency, k.units_per_month, k.units_left, k.soft)::platform.standing),
              array_agg(k.tenant_wanted), array_agg(k.tenant_cost),
              array_agg(k.tenant_id), array_agg(k.id), array_agg(k.plan),
              bool_and(k.reason is null and k.addresses is null and k.scopes & k.scope = k.scope
                and (k.wanted <= floor(k.key_burst - k.key_debt / k.key_step + 1e-6)) is not false
                and (k.tenant_wanted <= floor(k.tenant_burst - k.tenant_debt / k.tenant_step + 1e-6))
                  is not false
                and (k.concurrency is null or not runs)
                and (k.soft or k.cost = 0 or k.tenant_cost <= k.units_left) is not false),
              bool_or(k.key_rate is not null or k.tenant_rate is not null),
              bool_or(k.units_per_month is not null),
              coalesce(bool_or(greatest(k.key_changes, k.tenant_changes) >= most), false)
            into standings, tenant_used, tenant_units, tenant_ids, key_ids, plans, all_fit,
              has_rate, has_quota, unpruned
            from (
              select n.no::integer, k.tenant_id, k.id, k.scopes, k.addresses, t.plan, p.soft,
                case
                  when k.id is null then 'INVALID_KEY'
                  when k.revoked_at is not null then 'KEY_REVOKED'
                  when k.disabled_at is not null then 'KEY_DISABLED'
                  when k.expires_at <= this_moment then 'KEY_EXPIRED'
                end as reason,
                k.requests_per_second as key_rate, k.burst as key_burst,
                1e6::float8 / k.requests_per_second as key_step,
                platform.debt(kr.tat - now_us, k.requests_per_second, k.burst) as key_debt,
                kr.version as key_version, kr.changes as key_changes,
                p.requests_per_second as tenant_rate, p.burst as tenant_burst,
                1e6::float8 / p.requests_per_second as tenant_step,
                platform.debt(tr.tat - now_us, p.requests_per_second, p.burst) as tenant_debt,
                tr.version as tenant_version, tr.changes as tenant_changes,
                p.concurrency, p.units_per_month,
                p.units_per_month - coalesce(q.units, 0) as units_left,
                n.wanted, case when %2$L = 'live' then n.units else 0 end as cost, n.scope,
                sum(n.wanted) over t as tenant_wanted,
                sum(case when %2$L = 'live' then n.units else 0 end) over t as tenant_cost
              from unnest(index8s, digests, wanted, wanted_units, wanted_scopes) with ordinality
                as n(index8, digest, wanted, units, scope, no)
              left join %1$I.api_key k on k.index8 = n.index8 and k.digest = decode(n.digest, 'hex')
                and k.tenant_id = any (tenants)
              left join platform.tenant t on t.id = k.tenant_id
              left join platform.plan p on p.name = t.plan
              left join lateral (
                select r.tat, r.version, r.changes from %1$I.rate r
                  where r.tenant_id = k.tenant_id and r.holder = k.id order by r.version desc limit 1
              ) kr on k.requests_per_second is not null
              left join lateral (
                select r.tat, r.version, r.changes from %1$I.rate r
                  where r.tenant_id = t.id and r.holder = t.id order by r.version desc limit 1
              ) tr on p.requests_per_second is not null
              left join lateral (
                select c.units from %1$I.charge c
                  where c.tenant_id = k.tenant_id and c.month = this_month
                  order by c.version desc limit 1
              ) q on %2$L = 'live'
              window t as (partition by k.tenant_id)
              order by n.no
            ) k;
        end if;

        if not all_fit then
          with running as materialized (
            select k.tenant_id, %1$I.running(k.tenant_id, this_moment) as running
              from unnest(standings) k where k.concurrency is not null group by 1
          ), asked as (
            select a."position", a.key, a.status, k.tenant_id,
              case when %2$L = 'live' then a.cost else 0 end as cost,
              floor(k.key_burst - k.key_debt / k.key_step + 1e-6) as key_left,
              floor(k.tenant_burst - k.tenant_debt / k.tenant_step + 1e-6) as tenant_left,
              k.concurrency - coalesce(r.running, 0) as at_once_left,
              case when not k.soft then k.units_left end as units_left,
              case
                when k.reason is not null then k.reason
                when k.addresses is not null
                    and not coalesce(a.address <<= any (k.addresses), false)
                  then 'ADDRESS_NOT_ALLOWED'
                when k.scopes & a.scope <> a.scope then 'INSUFFICIENT_SCOPE'
              end as reason
            from (
              select a.key, a."position", a.address, costs[a.kind] as cost, scopes[a.kind] as scope,
                statuses[a.kind] as status
              from unnest(keys, kinds, addresses::inet[]) with ordinality
                as a(key, kind, address, "position")
            ) a
            cross join lateral (select (standings[a.key]).*) k
            left join running r on r.tenant_id = k.tenant_id
          ), paced as ( -- what a key may, then what its tenant may, then what is left of the month
            select j.*, case
                when j.reason is null and count(*) filter (where j.reason is null)
                    over (partition by j.key order by j."position") > j.key_left
                then 'RATE_LIMITED' else j.reason end as paced
            from asked j
          ), shared as (
            select j.*, case
                when j.paced is null and count(*) filter (where j.paced is null)
                    over (partition by j.tenant_id order by j.key, j."position") > j.tenant_left
                then 'RATE_LIMITED' else j.paced end as shared
            from paced j
          ), started as (
            select j.*, case
                when j.shared is null and j.status is null
                    and count(*) filter (where j.shared is null and j.status is null)
                      over (partition by j.tenant_id order by j.key, j."position") > j.at_once_left
                then 'TOO_MANY_AT_ONCE' else j.shared end as started
            from shared j
          ), decided as (
            select j.*, case
                when j.started is null and j.cost > 0
                    and sum(j.cost) filter (where j.started is null)
                      over (partition by j.tenant_id order by j.key, j."position") > j.units_left
                then 'QUOTA_EXCEEDED' else j.started end as verdict
            from started j
          ), taken as (
            select d.key, d.tenant_id, count(*) filter (where d.started is null) as used,
                coalesce(sum(d.cost) filter (where d.verdict is null), 0) as units
              from decided d group by 1, 2
          )
          select (select array_agg(d.verdict order by d."position") from decided d),
              array_agg(k.used), array_agg(k.units), array_agg(k.tenant_used),
              array_agg(k.tenant_units)
            into verdicts, key_used, key_units, tenant_used, tenant_units
            from (
              select t.*, sum(t.used) over s as tenant_used, sum(t.units) over s as tenant_units
                from taken t window s as (partition by t.tenant_id) order by t.key
            ) k;
        end if;

        if verdicts is null then
          key_used := wanted;
          key_units := wanted_units;
          insert into %1$I.usage (tenant_id, request_id, key_id, at, route, status, latency_bucket,
              cache_hit, units, plan)
            select tenant_ids[a.key], a.request_id, key_ids[a.key], this_moment, routes[a.kind],
              statuses[a.kind], latency_buckets[a.kind], cache_hits[a.kind],
              case when %2$L = 'live' then costs[a.kind] else 0 end, plans[a.key]
            from unnest(keys, request_ids, kinds) as a(key, request_id, kind);
        else
          insert into %1$I.usage (tenant_id, request_id, key_id, at, route, status, latency_bucket,
              cache_hit, units, plan)
            select tenant_ids[a.key], a.request_id, key_ids[a.key], this_moment, routes[a.kind],
              case
                when a.verdict is null then statuses[a.kind]
                when a.verdict in ('RATE_LIMITED', 'TOO_MANY_AT_ONCE', 'QUOTA_EXCEEDED') then 429
                when a.verdict in ('ADDRESS_NOT_ALLOWED', 'INSUFFICIENT_SCOPE') then 403
                else 401
              end,
              case when a.verdict is null then latency_buckets[a.kind] else 0 end,
              case when a.verdict is null then cache_hits[a.kind] else false end,
              case when %2$L = 'live' and a.verdict is null then costs[a.kind] else 0 end,
              plans[a.key]
            from unnest(keys, request_ids, kinds, verdicts) as a(key, request_id, kind, verdict)
            where key_ids[a.key] is not null;
        end if;

        if %2$L = 'live' then
          with charged as (
            insert into %1$I.charge as c (tenant_id, month, version, units, changes)
              select w.tenant_id, this_month, coalesce(q.version + (q.changes >= most)::integer, 0),
                  coalesce(q.units, 0) + w.units,
                  case when q.changes < most then q.changes + 1 else 0 end
                from (
                  select k.tenant_id, sum(k.units) as units
                    from unnest(tenant_ids, key_units) as k(tenant_id, units)
                    where k.units > 0 group by 1
                ) w
                left join lateral (
                  select c.version, c.units, c.changes from %1$I.charge c
                    where c.tenant_id = w.tenant_id and c.month = this_month
                    order by c.version desc limit 1
                ) q on true
              on conflict (tenant_id, month, version)
                do update set units = excluded.units, changes = excluded.changes
              returning c.tenant_id, c.version, c.changes
          )
          select array_agg(c.tenant_id), array_agg(c.version) into charged_tenants, charged_versions
            from charged c where c.changes = 0 and c.version > 0;
          for n in 1..coalesce(cardinality(charged_tenants), 0) loop
            delete from %1$I.charge c where c.tenant_id = charged_tenants[n]
              and c.month = this_month and c.version = charged_versions[n] - 1;
          end loop;
        end if;
        if has_rate then
          insert into %1$I.rate as r (tenant_id, holder, version, tat, changes)
            select k.tenant_id, h.holder, coalesce(h.version + (h.changes >= most)::integer, 0),
                now_us + ceil(min(h.debt) + sum(key_used[k.no]) * min(h.step))::bigint,
                case when h.changes < most then h.changes + 1 else 0 end
              from unnest(standings) k cross join lateral (values
                (k.key_id, k.key_version, k.key_changes, k.key_debt, k.key_step),
                (k.tenant_id, k.tenant_version, k.tenant_changes, k.tenant_debt, k.tenant_step)
              ) as h(holder, version, changes, debt, step)
              where h.step is not null and key_used[k.no] > 0
              group by k.tenant_id, h.holder, h.version, h.changes
            on conflict (tenant_id, holder, version)
              do update set tat = excluded.tat, changes = excluded.changes;
        end if;
        if unpruned then
          for old in
            select distinct k.tenant_id, h.holder, h.version
              from unnest(standings) k cross join lateral (values
                (k.key_id, k.key_version, k.key_changes),
                (k.tenant_id, k.tenant_version, k.tenant_changes)
              ) as h(holder, version, changes)
              where h.changes >= most and key_used[k.no] > 0
          loop
            delete from %1$I.rate r where r.tenant_id = old.tenant_id and r.holder = old.holder
              and r.version = old.version;
          end loop;
        end if;

        if verdicts is not null then
          refusals := (
            select json_agg(json_build_array(a."position", a.verdict, case a.verdict
                when 'RATE_LIMITED' then ceil(greatest(
                  k.key_debt + (key_used[k.no] + 1 - k.key_burst) * k.key_step,
                  k.tenant_debt + (tenant_used[k.no] + 1 - k.tenant_burst) * k.tenant_step
                  ) / 1000)::bigint
                when 'TOO_MANY_AT_ONCE' then 1000
                when 'QUOTA_EXCEEDED' then ceil(extract(epoch from
                  (this_month + interval '1 month') at time zone 'UTC' - this_moment) * 1000)::bigint
              end))
            from unnest(keys, verdicts) with ordinality as a(key, verdict, "position")
            cross join lateral (select (standings[a.key]).*) k
            where a.verdict is not null);
        end if;
        if cardinality(introduce) > 0 then
          introduced := (
            select json_agg(json_build_array(i, tenant_ids[i], key_ids[i])) from unnest(introduce) i
              where key_ids[i] is not null);
        end if;
        if has_rate or has_quota then
          limits := array_to_json(array(
            select array[k.no, least(k.key_rate, k.tenant_rate), least(k.key_burst, k.tenant_burst),
                floor(least(k.key_burst - k.key_debt / k.key_step - key_used[k.no],
                  k.tenant_burst - k.tenant_debt / k.tenant_step - tenant_used[k.no]) + 1e-6),
                k.units_per_month, greatest(0, k.units_left - tenant_units[k.no])]::bigint[]
              from unnest(standings) k
              where k.key_rate is not null or k.tenant_rate is not null
                or k.units_per_month is not null));
        end if;
        if coalesce(refusals, introduced, limits, tenant_limits) is null then
          return ('{"at":"' || this_moment || '"}')::json;
        end if;
        return json_build_object('at', this_moment::text, 'refused', refusals, 'introduced', introduced,
          'limits', limits, 'tenant_limits', tenant_limits);
      end
      $function$;
    $ddl$, s.name, s.name);
  end loop;

  for change in
    select format('%I.%I', x.name, c.of)::regproc as function, c.before, c.after
      from (values ('live'), ('sandbox')) as x(name), (values
        ('retain', 'select tenant_id, holder, slice from', 'select tenant_id, holder, version from'),
        ('retain', 'and slice < now_us / 5000000 - 720', ''),
        ('retain', 'and r.slice = idle.slice', 'and r.version = idle.version'),
        ('retain', 'nobody voids one that is an hour old', 'nobody voids one that is older')
      ) as c(of, before, after)
  loop
    definition := pg_get_functiondef(change.function);
    if position(change.before in definition) = 0 then
      raise exception '% is not as it was made', change.function;
    end if;
    execute replace(definition, change.before, change.after);
  end loop;

  for s in select * from (values ('live'), ('sandbox')) as x(name)
  loop
    definition := pg_get_functiondef(format('%I.find_events', s.name)::regproc);
    if definition !~ 'select tenant_id, sum\(units\)::bigint.*part group by 1' then
      raise exception 'find_events is not as 0013 made it';
    end if;
    execute regexp_replace(definition, 'select tenant_id, sum\(units\)::bigint.*part group by 1',
      format('select h.tenant_id, h.units from %I.charge h where h.month = this_month', s.name));
  end loop;
end
$migration$;

drop function platform.batch_keys, platform.batch_arrivals;
