-- What detectors of abuse look at, what they found, and keys that are held to a lower rate meanwhile.
-- Safe online: new tables and functions; the changed policies of analysis take its lock for a moment,
-- within the lock_timeout.

-- Of several instances one at a time looks, as often as one alone would.
create table platform.watch_turn (
  environment text primary key,
  looked_at   timestamptz not null default '-infinity',
  counted_to  timestamptz -- usage rows before it are in watch_hour
);
alter table platform.watch_turn owner to zt_owner;
grant select, update on platform.watch_turn to zt_service;
grant select on platform.watch_turn to zt_backup;

-- About how many values a HyperLogLog of 256 registers has seen (Flajolet et al. 2007): exact to 7 %,
-- few of them better. Takes how many registers were hit, and the sum of 2 to the minus rank of those.
create function platform.sketch_count(hit bigint, sum float8) returns float8
  language sql immutable set search_path = pg_catalog, pg_temp
  begin atomic
    select case
      when raw <= 640 and hit < 256 then 256 * ln(256::float8 / (256 - hit))
      else raw end
    from (select 0.7182725932495458 * 65536 / (256 - hit + sum) as raw) e;
  end;
alter function platform.sketch_count owner to zt_owner;
grant execute on function platform.sketch_count to zt_service;

do $migration$
declare
  s record;
  name text;
begin
  for s in select * from (values ('live', 'zt_tenant'), ('sandbox', 'zt_sandbox')) as x(name, customer)
  loop
    insert into platform.watch_turn values (s.name);

    execute format($ddl$
      -- Usage rows, added up by hour and key, for 28 days.
      create table %1$I.watch_hour (
        tenant_id uuid not null,
        hour      timestamptz not null,
        key_id    uuid not null,
        requests  bigint not null,
        misses    bigint not null, -- analyses that did not lie ready
        refused   bigint not null, -- 401: the key was ended or disabled
        missing   bigint not null, -- 404: what was named by its id is not there
        primary key (tenant_id, hour, key_id)
      ) with (fillfactor = 70); -- each hour's rows are changed every minute
      create index watch_hour_hour on %1$I.watch_hour (hour);

      -- From how many networks a key is used on a day (UTC): a sketch, which holds no address and no
      -- digest of one. What it was made with is forgotten with the day. Unlogged: in no backup, and
      -- a crash of the server empties all of it.
      create unlogged table %1$I.network_salt (
        day  date primary key,
        salt bytea not null check (octet_length(salt) = 32)
      );
      create unlogged table %1$I.network (
        tenant_id uuid not null,
        key_id    uuid not null,
        day       date not null,
        register  smallint not null,
        rank      smallint not null,
        primary key (tenant_id, key_id, day, register)
      );
      -- Days gone by: how many it were.
      create table %1$I.network_day (
        tenant_id uuid not null,
        key_id    uuid not null,
        day       date not null,
        networks  integer not null,
        primary key (tenant_id, key_id, day)
      );

      create table %1$I.finding (
        tenant_id    uuid not null, -- all zeros: of the deployment, no tenant's
        id           uuid not null default platform.new_uuid(),
        rule         text not null check (rule ~ '^[a-z_]{1,40}$'),
        subject      uuid not null, -- a key, or the tenant itself
        first_at     timestamptz not null default clock_timestamp(),
        last_at      timestamptz not null default clock_timestamp(),
        measured     bigint not null, -- at most, so far
        threshold    bigint not null,
        lifted_at    timestamptz, -- by an operator: it throttles no more
        dismissed_at timestamptz,
        dismissed_by text check (length(dismissed_by) between 1 and 200),
        quiet_until  timestamptz,
        primary key (tenant_id, id)
      );
      create index finding_subject on %1$I.finding (tenant_id, subject, rule, last_at desc);
      create index finding_newest on %1$I.finding (last_at);

      -- Keys whose rate is lower for a while, and what is put back at its end.
      create table %1$I.throttle (
        tenant_id               uuid not null,
        key_id                  uuid not null,
        finding_id              uuid,
        actor                   text not null check (length(actor) between 1 and 200),
        since                   timestamptz not null default clock_timestamp(),
        until                   timestamptz not null,
        requests_per_second     integer not null,
        burst                   integer not null,
        was_requests_per_second integer,
        was_burst               integer,
        primary key (tenant_id, key_id)
      );
      create index throttle_until on %1$I.throttle (until);

      grant select, insert, update, delete on %1$I.watch_hour, %1$I.network, %1$I.network_day, %1$I.finding,
        %1$I.throttle to zt_service;
      grant select, insert, delete on %1$I.network_salt to zt_service;
      alter table %1$I.network_salt owner to zt_owner;
      grant select on %1$I.finding, %1$I.throttle to zt_operator;
      grant update (requests_per_second, burst) on %1$I.api_key to zt_service;

      -- The service deletes what has expired, and counts how many different domains a tenant asked for
      -- by their blind indexes; of which domains, it does not see.
      drop policy retention on %1$I.analysis;
      create policy retention on %1$I.analysis for delete to zt_service
        using (expires_at <= (select statement_timestamp()));
      create policy counting on %1$I.analysis for select to zt_service using (true);
      grant select (domain_index, observed_at) on %1$I.analysis to zt_service;
    $ddl$, s.name);
    foreach name in array array['watch_hour', 'network', 'network_day', 'finding', 'throttle'] loop
      execute format($ddl$
        alter table %1$I.%3$I enable row level security;
        alter table %1$I.%3$I force row level security;
        create policy every_row on %1$I.%3$I to zt_migrate using (true) with check (true);
        create policy backup on %1$I.%3$I for select to zt_backup using (true);
        create policy service on %1$I.%3$I to zt_service using (true) with check (true);
        grant select on %1$I.%3$I to zt_backup;
        alter table %1$I.%3$I owner to zt_owner;
      $ddl$, s.name, s.customer, name);
    end loop;
    execute format($ddl$
      create policy operator on %1$I.finding for select to zt_operator using (true);
      create policy operator on %1$I.throttle for select to zt_operator using (true);

      -- Takes the turn where it is due, and adds up usage rows of some time more. Answers whether there
      -- are more to be added up; null where another instance is at it, or was just now. A caller that
      -- goes on says 0 seconds.
      create function %1$I.watch(every_seconds integer, step_seconds integer) returns boolean
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
        set plan_cache_mode = force_custom_plan -- no other day's partition is locked
      as $function$
      declare
        turn record;
        began timestamptz;
        ended timestamptz;
        -- By then a batch has committed, and a refusal its outcome.
        settled timestamptz := clock_timestamp() - interval '5 seconds';
      begin
        select * into turn from platform.watch_turn t where t.environment = %1$L for update skip locked;
        if not found or turn.looked_at > clock_timestamp() - make_interval(secs => every_seconds * 0.9)
            and turn.looked_at <= clock_timestamp() then
          return null;
        end if;
        began := coalesce(turn.counted_to, date_trunc('hour', settled - interval '28 days', 'UTC'));
        if began > settled then -- the clock went back
          began := settled;
        end if;
        ended := least(settled, began + make_interval(secs => step_seconds));
        insert into %1$I.watch_hour as w
            (tenant_id, hour, key_id, requests, misses, refused, missing)
          select u.tenant_id, date_trunc('hour', u.at, 'UTC'), u.key_id, count(*),
              count(*) filter (where u.route = 1
                and (u.status is null or u.status = 200 and not u.cache_hit)),
              count(*) filter (where u.status = 401), count(*) filter (where u.status = 404)
            from %1$I.usage u where u.at >= began and u.at < ended
            group by 1, 2, 3 order by 1, 2, 3
          on conflict (tenant_id, hour, key_id) do update
            set requests = w.requests + excluded.requests, misses = w.misses + excluded.misses,
              refused = w.refused + excluded.refused, missing = w.missing + excluded.missing;
        update platform.watch_turn t set looked_at = clock_timestamp(), counted_to = ended
          where t.environment = %1$L;
        return ended < settled;
      end
      $function$;

      -- Hours from `since` on that pass a floor: of a tenant all its keys, or a key alone.
      create function %1$I.watched_hours(since timestamptz, min_requests bigint, min_misses bigint,
          min_refused bigint, min_missing bigint, min_keys_refused bigint)
        returns table (tenant_id uuid, key_id uuid, hour timestamptz, requests bigint, misses bigint,
          refused bigint, missing bigint)
      language sql stable security definer set search_path = pg_catalog, pg_temp
      begin atomic
        select w.tenant_id, w.key_id, w.hour, w.requests, w.misses, w.refused, w.missing
          from (
            select w.*, sum(w.requests) over t as all_requests, sum(w.misses) over t as all_misses,
                count(*) filter (where w.refused > 0) over t as keys_refused
              from %1$I.watch_hour w where w.hour >= since
              window t as (partition by w.tenant_id, w.hour)
          ) w
          where all_requests >= min_requests or all_misses >= min_misses or w.refused >= min_refused
            or w.missing >= min_missing or keys_refused >= min_keys_refused;
      end;

      create function %1$I.watched_history(tenants uuid[], since timestamptz)
        returns table (tenant_id uuid, hour timestamptz, requests bigint, misses bigint)
      language sql stable security definer set search_path = pg_catalog, pg_temp
      begin atomic
        select w.tenant_id, w.hour, sum(w.requests)::bigint, sum(w.misses)::bigint
          from %1$I.watch_hour w where w.tenant_id = any (tenants) and w.hour >= since group by 1, 2;
      end;

      -- Hours of requests with unknown keys; none while the last two have fewer than a floor.
      create function %1$I.watched_unknown_keys(at_least bigint, since timestamptz)
        returns table (hour timestamptz, requests bigint)
      language sql stable security definer set search_path = pg_catalog, pg_temp
      begin atomic
        select date_trunc('hour', k.minute, 'UTC'), sum(k.requests)::bigint from %1$I.unknown_key k
          where k.minute >= since
            and (select coalesce(sum(n.requests), 0) from %1$I.unknown_key n
              where n.minute >= date_trunc('hour', statement_timestamp(), 'UTC') - interval '1 hour') >= at_least
          group by 1;
      end;

      create function %1$I.watched_domains(of_tenant uuid, since timestamptz, until timestamptz)
        returns bigint
      language sql stable security definer set search_path = pg_catalog, pg_temp
      begin atomic
        select count(distinct a.domain_index) from %1$I.analysis a
          where a.tenant_id = of_tenant and a.observed_at >= since and a.observed_at < until;
      end;

      -- What makes sketches of a day comparable over instances, and of two days not.
      create function %1$I.network_salt(of_day date, made bytea) returns bytea
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      begin
        insert into %1$I.network_salt values (of_day, made) on conflict do nothing;
        return (select n.salt from %1$I.network_salt n where n.day = of_day);
      end
      $function$;

      create function %1$I.add_networks(
        of_day date, tenants uuid[], keys uuid[], registers smallint[], ranks smallint[]
      ) returns void
      language sql volatile security definer set search_path = pg_catalog, pg_temp
      begin atomic
        insert into %1$I.network as n (tenant_id, key_id, day, register, rank)
          select a.tenant_id, a.key_id, of_day, a.register, a.rank
            from unnest(tenants, keys, registers, ranks) as a(tenant_id, key_id, register, rank)
            where exists (select from %1$I.network_salt s where s.day = of_day)
            order by 1, 2, 4
          on conflict (tenant_id, key_id, day, register) do update set rank = excluded.rank
            where n.rank < excluded.rank;
      end;

      -- Keys of a day that were used from so many networks, with how many of each earlier day.
      create function %1$I.watched_networks(of_day date, at_least bigint)
        returns table (tenant_id uuid, key_id uuid, today float8, before integer[])
      language sql stable security definer set search_path = pg_catalog, pg_temp
      begin atomic
        select n.tenant_id, n.key_id, platform.sketch_count(n.hit, n.sum),
            array(select d.networks from %1$I.network_day d
              where d.tenant_id = n.tenant_id and d.key_id = n.key_id and d.day >= of_day - 28
              order by d.day)
          from (
            select n.tenant_id, n.key_id, count(*) as hit, sum(2.0::float8 ^ -n.rank) as sum
              from %1$I.network n where n.day = of_day group by 1, 2
          ) n
          where platform.sketch_count(n.hit, n.sum) >= at_least;
      end;

      -- Holds keys to a rate for a while: one, or all of a tenant where it is the subject. Leaves alone
      -- what has ended, is as slow already or is held. Answers how many it were.
      create function %1$I.hold(of_tenant uuid, of_subject uuid, finding uuid, per_second integer,
        at_once integer, held_until timestamptz, by_actor text) returns integer
      language plpgsql volatile set search_path = pg_catalog, pg_temp
      as $function$
      declare
        k record;
        held integer := 0;
      begin
        for k in
          select a.id, a.requests_per_second, a.burst from %1$I.api_key a
            where a.tenant_id = of_tenant and (a.id = of_subject or of_subject = of_tenant)
              and a.revoked_at is null and (a.expires_at is null or a.expires_at > clock_timestamp())
              and (a.requests_per_second is null or a.requests_per_second > per_second)
            order by a.id for no key update
        loop
          insert into %1$I.throttle (tenant_id, key_id, finding_id, actor, until, requests_per_second,
              burst, was_requests_per_second, was_burst)
            values (of_tenant, k.id, finding, by_actor, held_until, per_second, at_once,
              k.requests_per_second, k.burst)
            on conflict do nothing;
          continue when not found;
          update %1$I.api_key a set requests_per_second = per_second, burst = at_once
            where a.tenant_id = of_tenant and a.id = k.id;
          insert into audit.entry (id, actor, action, tenant_id, subject, details)
            values (platform.new_uuid(), by_actor, 'key.throttled', of_tenant,
              platform.public_id('key', k.id), jsonb_build_object(
                'finding', platform.public_id('fnd', finding), 'until', held_until,
                'requests_per_second', per_second, 'was', k.requests_per_second));
          perform %1$I.append_event(of_tenant, 'key_throttled', k.id, platform.new_uuid()::text,
            jsonb_build_object('requests_per_second', per_second, 'burst', at_once,
              'until', to_char(held_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
          held := held + 1;
        end loop;
        return held;
      end
      $function$;

      -- Puts back what keys had: of a subject, of a finding, or of all whose time is over. A rate that
      -- somebody changed meanwhile stays. What a held key issued or was rotated to has inherited its
      -- rate, and gets back the same. Answers how many it were.
      create function %1$I.put_back(of_tenant uuid, of_subject uuid, finding uuid, by_actor text)
        returns integer
      language plpgsql volatile set search_path = pg_catalog, pg_temp
      as $function$
      declare
        gone record;
        heirs integer;
        lifted integer := 0;
        moment timestamptz := clock_timestamp();
      begin
        loop
          -- Whoever rotates a key or issues by one has locked it: what that makes is seen afterwards.
          perform from %1$I.api_key k join %1$I.throttle t on t.tenant_id = k.tenant_id and t.key_id = k.id
            where of_tenant is null and t.until <= moment or t.tenant_id = of_tenant
            order by k.tenant_id, k.id for no key update of k;
          insert into %1$I.throttle
            select distinct on (c.tenant_id, c.id) c.tenant_id, c.id, t.finding_id, t.actor, t.since,
                t.until, t.requests_per_second, t.burst, t.was_requests_per_second, t.was_burst
              from %1$I.throttle t
              join %1$I.api_key old on old.tenant_id = t.tenant_id and old.id = t.key_id
              join %1$I.api_key c on c.tenant_id = t.tenant_id and c.created_at >= t.since
                and (c.id = old.replaced_by or c.issued_by = platform.public_id('key', t.key_id))
                and c.requests_per_second = t.requests_per_second and c.burst = t.burst
              where of_tenant is null or t.tenant_id = of_tenant
              order by c.tenant_id, c.id, c.id = old.replaced_by desc
            on conflict do nothing;
          get diagnostics heirs = row_count;
          exit when heirs = 0;
        end loop;
        for gone in
          delete from %1$I.throttle h
            where of_tenant is null and h.until <= moment
              or h.tenant_id = of_tenant and (of_subject = of_tenant or h.key_id = of_subject)
              or h.tenant_id = of_tenant and h.finding_id = finding
            returning h.*
        loop
          update %1$I.api_key a
            set requests_per_second = gone.was_requests_per_second, burst = gone.was_burst
            where a.tenant_id = gone.tenant_id and a.id = gone.key_id
              and a.requests_per_second = gone.requests_per_second and a.burst = gone.burst;
          insert into audit.entry (id, actor, action, tenant_id, subject, details)
            values (platform.new_uuid(), by_actor, 'key.throttle_lifted', gone.tenant_id,
              platform.public_id('key', gone.key_id), jsonb_build_object(
                'finding', platform.public_id('fnd', gone.finding_id), 'was', gone.was_requests_per_second,
                'put_back', found));
          perform %1$I.append_event(gone.tenant_id, 'throttle_lifted', gone.key_id, platform.new_uuid()::text,
            jsonb_build_object('requests_per_second', gone.was_requests_per_second, 'burst', gone.was_burst));
          lifted := lifted + 1;
        end loop;
        return lifted;
      end
      $function$;

      -- Records what a rule found, tells the owner, and holds its keys where that is to be done. Answers
      -- whether it is new; not, while it lasts (a day after it was last seen), and while it is quiet.
      create function %1$I.record_finding(of_tenant uuid, of_subject uuid, of_rule text, how_many bigint,
        at_least bigint, per_second integer, at_once integer, hours integer) returns uuid
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      declare
        f record;
        is_new boolean := false;
        is_tenant boolean := of_tenant <> '00000000-0000-0000-0000-000000000000';
      begin
        perform from platform.watch_turn t where t.environment = %1$L for update; -- one at a time
        select * into f from %1$I.finding x
          where x.tenant_id = of_tenant and x.subject = of_subject and x.rule = of_rule
          order by x.last_at desc limit 1;
        if f.quiet_until > clock_timestamp() then
          return null;
        end if;
        if f.id is null or f.dismissed_at is not null or f.last_at < clock_timestamp() - interval '1 day' then
          is_new := true;
          insert into %1$I.finding (tenant_id, rule, subject, measured, threshold)
            values (of_tenant, of_rule, of_subject, how_many, at_least) returning * into f;
          if is_tenant then
            perform %1$I.append_event(of_tenant, 'abuse_suspected',
              case when of_subject <> of_tenant then of_subject end, f.id::text,
              jsonb_build_object('rule', of_rule, 'measured', how_many, 'threshold', at_least));
          end if;
        else
          update %1$I.finding x
            set last_at = clock_timestamp(), measured = greatest(x.measured, how_many)
            where x.tenant_id = f.tenant_id and x.id = f.id;
        end if;
        if is_tenant and per_second is not null and f.lifted_at is null then
          perform %1$I.hold(of_tenant, of_subject, f.id, per_second, at_once,
            clock_timestamp() + make_interval(hours => hours), 'program');
        end if;
        return case when is_new then f.id end;
      end
      $function$;

      -- Puts back what is over, adds up networks of days gone by, and forgets what is kept no longer.
      create function %1$I.tend_watch() returns integer
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      declare
        today date := (clock_timestamp() at time zone 'UTC')::date;
      begin
        perform from platform.watch_turn t where t.environment = %1$L for update; -- one at a time
        insert into %1$I.network_day
          select n.tenant_id, n.key_id, n.day,
              round(platform.sketch_count(count(*), sum(2.0::float8 ^ -n.rank)))
            from %1$I.network n where n.day < today group by 1, 2, 3
          on conflict do nothing;
        delete from %1$I.network n where n.day < today;
        delete from %1$I.network_salt n where n.day < today;
        delete from %1$I.network_day n where n.day < today - 28;
        delete from %1$I.watch_hour w using (
            select tenant_id, hour, key_id from %1$I.watch_hour
              where hour < clock_timestamp() - interval '29 days' order by hour limit 10000
          ) old
          where w.tenant_id = old.tenant_id and w.hour = old.hour and w.key_id = old.key_id;
        delete from %1$I.finding f where f.last_at < clock_timestamp() - interval '400 days';
        return %1$I.put_back(null, null, null, 'program');
      end
      $function$;

      -- For health: when somebody last looked, and whether anything was found in a day.
      create function %1$I.watch_state() returns table (looked_at timestamptz, suspicious boolean)
      language sql stable security definer set search_path = pg_catalog, pg_temp
      begin atomic
        select nullif(t.looked_at, '-infinity'), exists (
            select from %1$I.finding f
              where f.last_at > statement_timestamp() - interval '1 day' and f.dismissed_at is null)
          from platform.watch_turn t where t.environment = %1$L;
      end;

      -- An operator's: holds keys, puts them back, and says that a finding is none.
      create function %1$I.throttle_keys(of_tenant uuid, of_subject uuid, per_second integer,
        at_once integer, held_until timestamptz, by_actor text) returns integer
      language sql volatile security definer set search_path = pg_catalog, pg_temp
      begin atomic
        select %1$I.hold(of_tenant, of_subject, null, per_second, at_once, held_until, by_actor);
      end;

      create function %1$I.lift_throttle(of_tenant uuid, of_subject uuid, finding uuid, by_actor text)
        returns integer
      language sql volatile security definer set search_path = pg_catalog, pg_temp
      begin atomic
        update %1$I.finding f set lifted_at = clock_timestamp()
          where f.tenant_id = of_tenant and f.lifted_at is null
            and (f.id = finding or f.id in (
              select t.finding_id from %1$I.throttle t where t.tenant_id = of_tenant
                and (of_subject = of_tenant or t.key_id = of_subject)));
        select %1$I.put_back(of_tenant, of_subject, finding, by_actor);
      end;

      create function %1$I.dismiss_finding(of_tenant uuid, finding uuid, quiet_days integer,
        by_actor text) returns integer
      language sql volatile security definer set search_path = pg_catalog, pg_temp
      begin atomic
        update %1$I.finding f
          set dismissed_at = clock_timestamp(), dismissed_by = by_actor,
            quiet_until = clock_timestamp() + make_interval(days => quiet_days)
          where f.tenant_id = of_tenant and f.id = finding;
        insert into audit.entry (id, actor, action, tenant_id, subject, details)
          values (platform.new_uuid(), by_actor, 'finding.dismissed',
            nullif(of_tenant, '00000000-0000-0000-0000-000000000000'),
            platform.public_id('fnd', finding), jsonb_build_object('quiet_days', quiet_days));
        select %1$I.put_back(of_tenant, null, finding, by_actor);
      end;
    $ddl$, s.name);
    foreach name in array array['watch', 'watched_hours', 'watched_history', 'watched_unknown_keys',
        'watched_domains', 'watched_networks', 'network_salt', 'add_networks', 'hold', 'put_back',
        'record_finding', 'tend_watch', 'watch_state', 'throttle_keys', 'lift_throttle', 'dismiss_finding'] loop
      execute format($ddl$
        alter function %1$I.%2$I owner to zt_service;
        revoke all on function %1$I.%2$I from public;
      $ddl$, s.name, name);
    end loop;
    execute format('grant execute on function %1$I.watch, %1$I.watched_hours, %1$I.watched_history,
      %1$I.watched_unknown_keys, %1$I.watched_domains, %1$I.watched_networks, %1$I.network_salt,
      %1$I.add_networks, %1$I.record_finding, %1$I.tend_watch,
      %1$I.watch_state to zt_runtime', s.name);
    execute format('grant execute on function %1$I.throttle_keys, %1$I.lift_throttle,
      %1$I.dismiss_finding to zt_operator', s.name);
  end loop;
end
$migration$;
