-- The admission statement in short steps, so that the common batch, of which nobody is refused, is
-- spared what only refusals need; and how many requests of a tenant may run at once.
-- Safe online: a column with a constant default, new functions beside those that older instances call.

alter table platform.plan
  add column concurrency integer check (concurrency between 1 and 100000);
update platform.plan set concurrency = case name when 'free' then 2 when 'starter' then 10
    when 'business' then 100 end
  where name in ('free', 'starter', 'business');

-- A key of a batch: whose it is, what it may, and how far it and its tenant are from their limits.
-- Rates by GCRA: a step is the microseconds that a request takes up, a debt those that are taken up.
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
  key_slice       bigint, -- where its rate is kept
  key_last        bigint, -- where it was kept before
  tenant_rate     integer,
  tenant_burst    integer,
  tenant_step     float8,
  tenant_debt     float8,
  tenant_slice    bigint,
  tenant_last     bigint,
  concurrency     integer,
  units_per_month bigint,
  units_left      bigint,
  soft            boolean
);
alter type platform.standing owner to zt_owner;

-- Microseconds that a rate has to make up. Further ahead than its burst is only whose clock went back,
-- or whose burst was made smaller: it owes nothing, or nothing would be admitted until the old time has
-- come. Without settings of its own, so that it becomes part of what calls it.
create function platform.debt(ahead bigint, per_second integer, burst integer) returns float8
language sql immutable
return case when ahead < burst * 1e6::float8 / per_second + 1e6
  then greatest(0, least(ahead, burst * 1e6::float8 / per_second)) else 0 end;
alter function platform.debt owner to zt_owner;
revoke all on function platform.debt from public;
grant execute on function platform.debt to zt_service;

do $migration$
declare
  s record;
begin
  for s in select * from (values ('live'), ('sandbox')) as x(name)
  loop
    -- What runs: rows without an outcome. Most rows have theirs from the start, and are not in it.
    execute format($ddl$
      create index usage_running on %1$I.usage (tenant_id, at) where status is null;

      -- How many requests of a tenant run; one that began a minute ago is dead.
      create function %1$I.running(tenant_id uuid, now timestamptz) returns bigint
      language plpgsql volatile set search_path = pg_catalog, pg_temp
        set plan_cache_mode = force_custom_plan
      as $function$
      begin
        return (select count(*) from %1$I.usage u
          where u.tenant_id = running.tenant_id and u.status is null
            and u.at > now - interval '1 minute' and u.at <= now);
      end
      $function$;
      alter function %1$I.running owner to zt_service;
      revoke all on function %1$I.running from public;
    $ddl$, s.name);

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
    -- The function `admit` is for older instances alone.
    execute format($ddl$
      create function %1$I.admit_batch(
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
        set enable_seqscan = off set enable_mergejoin = off set enable_memoize = off
      as $function$
      #variable_conflict use_column
      declare
        tenants uuid[]; -- those that are locked
        this_moment timestamptz;
        now_us bigint;
        this_month date;
        this_slice bigint;
        standings platform.standing[];
        tenant_ids uuid[]; -- by the number of a key, as are the seven that follow
        key_ids uuid[];
        plans text[];
        key_used bigint[]; -- of its rate
        key_units bigint[];
        tenant_used bigint[]; -- of its tenant's
        tenant_units bigint[];
        slices bigint[]; -- where units are counted
        all_fit boolean;
        has_rate boolean not null := false;
        has_quota boolean not null := false;
        unfolded boolean; -- slices of units are over
        unpruned boolean not null := false; -- slices of rates are over
        verdicts text[]; -- by arrival; null where all are served
        runs constant boolean not null := array_position(statuses, null) is not null;
        refusals json;
        introduced json;
        limits json;
        tenant_limits json;
        limited boolean;
        holders uuid[]; -- of rates, where each is a tenant's, as are the three that follow
        tats bigint[];
        rate_slices bigint[];
        rate_lasts bigint[];
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
        this_slice := now_us / 5000000;
        insert into %1$I.batch (id, at, tenants) values (batch_id, this_moment, tenants);

        if cardinality(done_requests) > 0 then
          perform %1$I.settle(done_tenants, done_ats, done_requests, done_statuses,
            done_latency_buckets, done_cache_hits, this_slice);
        end if;
        if cardinality(request_ids) = 0 then
          return null;
        end if;

        if plain then
          -- Most often every key is good, and has no limits but its tenant's.
          select array_agg(k.tenant_id), array_agg(k.id), array_agg(k.plan), array_agg(k.slice),
              bool_and(k.plain), bool_or(k.first_slice < k.slice), bool_or(k.limited)
            into tenant_ids, key_ids, plans, slices, all_fit, unfolded, limited
            from (
              select k.tenant_id, k.id, t.plan, greatest(this_slice, m.folded_to) as slice,
                k.revoked_at is null and k.disabled_at is null and k.addresses is null
                  and k.scopes & n.scope = n.scope and (k.expires_at <= this_moment) is not true
                  and k.requests_per_second is null and (p.concurrency is null or not runs)
                  and p.name is not null as plain,
                p.requests_per_second is not null or p.units_per_month is not null as limited,
                s.slice as first_slice
              from unnest(index8s, digests, wanted_scopes) with ordinality
                as n(index8, digest, scope, no)
              left join %1$I.api_key k
                on k.index8 = n.index8 and k.digest = decode(n.digest, 'hex')
                and k.tenant_id = any (tenants)
              left join platform.tenant t on t.id = k.tenant_id
              left join platform.plan p on p.name = t.plan
              left join %1$I.period m
                on m.tenant_id = k.tenant_id and m.month = this_month and %2$L = 'live'
              left join lateral (
                select s.slice from %1$I.slice s
                  where s.tenant_id = k.tenant_id and s.month = this_month
                    and s.slice >= coalesce(m.folded_to, 0) order by s.slice limit 1
              ) s on %2$L = 'live'
              order by n.no
            ) k;
          if all_fit and limited then
            select array_agg(k.tenant_id), array_agg(k.tat), array_agg(k.slice), array_agg(k.last),
                coalesce(bool_or(k.last < k.slice), false),
                bool_and((k.wanted <= k.room) is not false
                  and (k.soft or k.cost = 0 or k.cost <= k.units_left) is not false),
                json_agg(json_build_array(k.tenant_id, k.requests_per_second, k.burst,
                  k.room - k.wanted, k.units_per_month, greatest(0, k.units_left - k.cost)))
              into holders, tats, rate_slices, rate_lasts, unpruned, all_fit, tenant_limits
              from (
                select w.tenant_id, w.wanted, w.cost, p.requests_per_second, p.burst, p.soft,
                  now_us + ceil(d.debt + w.wanted * d.step)::bigint as tat,
                  floor(p.burst - d.debt / d.step + 1e-6) as room,
                  greatest(this_slice, r.slice) as slice, r.slice as last, p.units_per_month,
                  p.units_per_month - coalesce(m.units, 0) - coalesce(q.units, 0) as units_left
                from (
                  select k.tenant_id, sum(k.wanted) as wanted,
                      case when %2$L = 'live' then sum(k.units) else 0 end as cost
                    from unnest(tenant_ids, wanted, wanted_units) as k(tenant_id, wanted, units)
                    group by 1
                ) w
                left join platform.tenant t on t.id = w.tenant_id
                left join platform.plan p on p.name = t.plan
                left join lateral (
                  select r.tat, r.slice from %1$I.rate r
                    where r.tenant_id = w.tenant_id and r.holder = w.tenant_id
                    order by r.slice desc limit 1
                ) r on p.requests_per_second is not null
                cross join lateral (
                  select 1e6::float8 / p.requests_per_second as step,
                    platform.debt(r.tat - now_us, p.requests_per_second, p.burst) as debt
                ) d
                left join %1$I.period m
                  on m.tenant_id = w.tenant_id and m.month = this_month and %2$L = 'live'
                left join lateral (
                  select sum(s.units) as units from %1$I.slice s
                    where s.tenant_id = w.tenant_id and s.month = this_month
                      and s.slice >= coalesce(m.folded_to, 0)
                ) q on %2$L = 'live'
              ) k;
            if all_fit then
              insert into %1$I.rate as r (tenant_id, holder, slice, tat)
                select h.id, h.id, h.slice, h.tat
                  from unnest(holders, rate_slices, tats) as h(id, slice, tat) where h.tat is not null
                on conflict (tenant_id, holder, slice) do update set tat = excluded.tat;
              if unpruned then
                delete from %1$I.rate r
                  using unnest(holders, rate_slices, rate_lasts) as h(id, slice, last)
                  where r.tenant_id = h.id and r.holder = h.id and r.slice = h.last
                    and h.last < h.slice;
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
                k.key_burst, k.key_step, k.key_debt, k.key_slice, k.key_last, k.tenant_rate,
                k.tenant_burst, k.tenant_step, k.tenant_debt, k.tenant_slice, k.tenant_last,
                k.concurrency, k.units_per_month, k.units_left, k.soft)::platform.standing),
              array_agg(k.tenant_wanted), array_agg(k.tenant_cost),
              array_agg(k.tenant_id), array_agg(k.id), array_agg(k.plan), array_agg(k.slice),
              bool_and(k.reason is null and k.addresses is null and k.scopes & k.scope = k.scope
                and (k.wanted <= floor(k.key_burst - k.key_debt / k.key_step + 1e-6)) is not false
                and (k.tenant_wanted <= floor(k.tenant_burst - k.tenant_debt / k.tenant_step + 1e-6))
                  is not false
                and (k.concurrency is null or not runs)
                and (k.soft or k.cost = 0 or k.tenant_cost <= k.units_left) is not false),
              bool_or(k.key_rate is not null or k.tenant_rate is not null),
              bool_or(k.units_per_month is not null),
              coalesce(bool_or(k.first_slice < k.slice), false),
              coalesce(bool_or(k.key_last < k.key_slice or k.tenant_last < k.tenant_slice), false)
            into standings, tenant_used, tenant_units, tenant_ids, key_ids, plans, slices, all_fit,
              has_rate, has_quota, unfolded, unpruned
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
                greatest(this_slice, kr.slice) as key_slice, kr.slice as key_last,
                p.requests_per_second as tenant_rate, p.burst as tenant_burst,
                1e6::float8 / p.requests_per_second as tenant_step,
                platform.debt(tr.tat - now_us, p.requests_per_second, p.burst) as tenant_debt,
                greatest(this_slice, tr.slice) as tenant_slice, tr.slice as tenant_last,
                p.concurrency, p.units_per_month,
                p.units_per_month - coalesce(m.units, 0) - coalesce(q.units, 0) as units_left,
                greatest(this_slice, m.folded_to) as slice, q.first_slice,
                n.wanted, case when %2$L = 'live' then n.units else 0 end as cost, n.scope,
                sum(n.wanted) over t as tenant_wanted,
                sum(case when %2$L = 'live' then n.units else 0 end) over t as tenant_cost
              from unnest(index8s, digests, wanted, wanted_units, wanted_scopes) with ordinality
                as n(index8, digest, wanted, units, scope, no)
              left join %1$I.api_key k on k.index8 = n.index8 and k.digest = decode(n.digest, 'hex')
                and k.tenant_id = any (tenants)
              left join platform.tenant t on t.id = k.tenant_id
              left join platform.plan p on p.name = t.plan
              -- Of rates and units only the newest is read: while somebody holds an old snapshot, what
              -- was before it is still in the index, and grows.
              left join lateral (
                select r.tat, r.slice from %1$I.rate r
                  where r.tenant_id = k.tenant_id and r.holder = k.id order by r.slice desc limit 1
              ) kr on k.requests_per_second is not null
              left join lateral (
                select r.tat, r.slice from %1$I.rate r
                  where r.tenant_id = t.id and r.holder = t.id order by r.slice desc limit 1
              ) tr on p.requests_per_second is not null
              left join %1$I.period m
                on m.tenant_id = k.tenant_id and m.month = this_month and %2$L = 'live'
              left join lateral (
                select min(s.slice) as first_slice, sum(s.units) as units from %1$I.slice s
                  where s.tenant_id = k.tenant_id and s.month = this_month
                    and s.slice >= coalesce(m.folded_to, 0)
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
          insert into %1$I.slice as s (tenant_id, month, slice, units)
            select k.tenant_id, this_month, k.slice, sum(k.units)
              from unnest(tenant_ids, slices, key_units) as k(tenant_id, slice, units)
              where k.units > 0 group by 1, 3
            on conflict (tenant_id, month, slice) do update set units = s.units + excluded.units;
        end if;
        if unfolded then
          with folded as (
            delete from %1$I.slice s
              using (
                select distinct k.tenant_id, k.slice, coalesce(m.folded_to, 0) as folded_to
                  from unnest(tenant_ids, slices) as k(tenant_id, slice)
                  left join %1$I.period m on m.tenant_id = k.tenant_id and m.month = this_month
              ) c
              where s.tenant_id = c.tenant_id and s.slice >= c.folded_to and s.slice < c.slice
              returning s.tenant_id, s.month, s.units, c.slice
          )
          insert into %1$I.period as p (tenant_id, month, units, folded_to)
            select f.tenant_id, f.month, sum(f.units), f.slice from folded f group by 1, 2, 4
            on conflict (tenant_id, month) do update
              set units = p.units + excluded.units, folded_to = excluded.folded_to;
        end if;
        if has_rate then
          insert into %1$I.rate as r (tenant_id, holder, slice, tat)
            select k.tenant_id, h.holder, h.slice,
              now_us + ceil(min(h.debt) + sum(key_used[k.no]) * min(h.step))::bigint
              from unnest(standings) k cross join lateral (values
                (k.key_id, k.key_slice, k.key_debt, k.key_step),
                (k.tenant_id, k.tenant_slice, k.tenant_debt, k.tenant_step)
              ) as h(holder, slice, debt, step)
              where h.step is not null and key_used[k.no] > 0 group by 1, 2, 3
            on conflict (tenant_id, holder, slice) do update set tat = excluded.tat;
        end if;
        if unpruned then
          delete from %1$I.rate r
            using (
              select k.tenant_id, k.key_id as holder, k.key_last as slice from unnest(standings) k
                where k.key_last < k.key_slice
              union
              select k.tenant_id, k.tenant_id, k.tenant_last from unnest(standings) k
                where k.tenant_last < k.tenant_slice
            ) old
            where r.tenant_id = old.tenant_id and r.holder = old.holder and r.slice = old.slice;
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
      alter function %1$I.admit_batch owner to zt_service;
      revoke all on function %1$I.admit_batch from public;
      grant execute on function %1$I.admit_batch to zt_runtime;
    $ddl$, s.name, s.name);
  end loop;
end
$migration$;
