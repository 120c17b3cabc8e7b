-- Events that a tenant's owner is told of, where they are mailed to, and what plans say of both.
-- Safe online: new tables and functions; the new columns of plan have constant defaults and take its
-- lock for a moment, within the lock_timeout.

-- Whether owners are told at 80 and 100 % of the month's units, and what becomes of a key that a
-- secret scanner found.
alter table platform.plan
  add column alerts  boolean not null default true,
  add column on_leak text not null default 'disable' check (on_leak in ('disable', 'notify'));

-- UUIDv7 (RFC 9562 §5.7, with microseconds as in §6.2 method 3): ids of events sort by time.
-- PostgreSQL has it from 18 on.
create function platform.new_uuid() returns uuid
  language sql volatile set search_path = pg_catalog, pg_temp
  begin atomic
    select encode(overlay(uuid_send(gen_random_uuid()) placing
        substring(int8send(us / 1000) from 3) || int2send((28672 + us % 1000 * 4096 / 1000)::smallint)
        from 1 for 8), 'hex')::uuid
      from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint) now(us);
  end;

-- An id as it is shown: the prefix, and 26 base32 letters (core/ids.ts).
create function platform.public_id(prefix text, id uuid) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  begin atomic
    select prefix || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz',
        substring(b'00' || ('x' || replace(id::text, '-', ''))::bit(128) from n * 5 + 1 for 5)::integer
        + 1, 1), '' order by n)
      from generate_series(0, 25) n;
  end;
alter function platform.new_uuid owner to zt_owner;
alter function platform.public_id owner to zt_owner;
grant execute on function platform.new_uuid, platform.public_id to zt_service;

-- Where a tenant's owner is mailed. `id` is new with each address, which is sealed to it. How often
-- mail to it was tried in vain since it last went, and from when on it may be tried.
create table platform.contact (
  tenant_id      uuid primary key references platform.tenant,
  id             uuid not null,
  sealed_address bytea not null,
  changed_at     timestamptz not null default clock_timestamp(),
  tries          smallint not null default 0,
  next_mail_at   timestamptz not null default clock_timestamp()
);
alter table platform.contact owner to zt_owner;
alter table platform.contact enable row level security;
alter table platform.contact force row level security;
create policy every_row on platform.contact to zt_migrate using (true) with check (true);
create policy backup on platform.contact for select to zt_backup using (true);
create policy operator on platform.contact to zt_operator using (true) with check (true);
-- The contact of a tenant that is made from a request for a key.
create policy service on platform.contact for insert to zt_service with check (true);
grant insert on platform.contact to zt_service;
grant select on platform.contact to zt_backup;
grant select, insert, update, delete on platform.contact to zt_operator;

do $migration$
declare
  s record;
  name text;
begin
  for s in select * from (values ('live', 'zt_tenant'), ('sandbox', 'zt_sandbox')) as x(name, customer)
  loop
    insert into platform.maintenance_turn values (s.name || '.event');

    execute format($ddl$
      -- Nothing personal and no secret. One a tenant, kind and occasion: what is told once.
      create table %1$I.event (
        tenant_id uuid not null references platform.tenant,
        id        uuid not null default platform.new_uuid(),
        kind      text not null check (kind in ('quota_80', 'quota_100', 'key_expiring', 'key_leaked',
          'key_sent_in_clear', 'abuse_suspected', 'key_throttled', 'throttle_lifted')),
        key_id    uuid,
        at        timestamptz not null default clock_timestamp(),
        occasion  text not null check (length(occasion) between 1 and 200),
        detail    jsonb not null check (jsonb_typeof(detail) = 'object'),
        mailed_at timestamptz,
        primary key (tenant_id, id),
        unique (tenant_id, kind, occasion)
      );
      create index event_unmailed on %1$I.event (tenant_id) where mailed_at is null;
      alter table %1$I.event owner to zt_owner;
      alter table %1$I.event enable row level security;
      alter table %1$I.event force row level security;
      create policy every_row on %1$I.event to zt_migrate using (true) with check (true);
      create policy backup on %1$I.event for select to zt_backup using (true);
      create policy service on %1$I.event to zt_service using (true) with check (true);
      create policy operator on %1$I.event to zt_operator using (true) with check (true);
      create policy own_rows on %1$I.event for select to %2$I
        using (tenant_id = (select platform.current_tenant()));
      grant select on %1$I.event to zt_backup, zt_operator, %2$I;
      grant update (mailed_at) on %1$I.event to zt_operator;
      grant select, insert, delete on %1$I.event to zt_service;
      grant update (disabled_at, disabled_by) on %1$I.api_key to zt_service;

      -- Answers whether it was told now; not, where it had been.
      create function %1$I.append_event(
        tenant_id uuid, kind text, key_id uuid, occasion text, detail jsonb
      ) returns boolean
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      begin
        insert into %1$I.event (tenant_id, kind, key_id, occasion, detail)
          values (append_event.tenant_id, append_event.kind, append_event.key_id,
            append_event.occasion, append_event.detail)
          on conflict on constraint event_tenant_id_kind_occasion_key do nothing;
        return found;
      end
      $function$;

      -- Keys that came over plain HTTP, once a day (UTC) each. Answers with those told of now.
      create function %1$I.note_keys_in_clear(index8s text[], digests text[])
        returns table (index8 text)
      language sql volatile security definer set search_path = pg_catalog, pg_temp
      begin atomic
        with told as (
          insert into %1$I.event (tenant_id, kind, key_id, occasion, detail)
            select k.tenant_id, 'key_sent_in_clear', k.id,
                k.id || ' ' || (statement_timestamp() at time zone 'UTC')::date, '{}'
              from unnest(index8s, digests) as a(index8, digest)
              join %1$I.api_key k on k.index8 = a.index8 and k.digest = decode(a.digest, 'hex')
              where k.revoked_at is null
                and (k.expires_at is null or k.expires_at > statement_timestamp())
            on conflict (tenant_id, kind, occasion) do nothing
            returning key_id, tenant_id
        )
        select k.index8 from told t join %1$I.api_key k on k.tenant_id = t.tenant_id and k.id = t.key_id;
      end;

      -- Keys that a secret scanner found. The first report of a key disables it, or only tells its
      -- owner, by the plan; a later one changes nothing, so that a report sent again does not disable
      -- what an operator has enabled since. Answers how many were new.
      create function %1$I.report_leaks(index8s text[], digests text[], partner text) returns integer
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      declare
        leaked record;
        action text;
        reported integer := 0;
      begin
        for leaked in
          select k.tenant_id, k.id, p.on_leak,
              k.revoked_at is not null or coalesce(k.expires_at <= clock_timestamp(), false) as ended
            from unnest(index8s, digests) as a(index8, digest)
            join %1$I.api_key k on k.index8 = a.index8 and k.digest = decode(a.digest, 'hex')
            join platform.tenant t on t.id = k.tenant_id
            join platform.plan p on p.name = t.plan
            order by k.tenant_id, k.id for no key update of k
        loop
          action := case when leaked.ended then 'none' when leaked.on_leak = 'disable' then 'disabled'
            else 'notified' end;
          continue when not %1$I.append_event(leaked.tenant_id, 'key_leaked', leaked.id, leaked.id::text,
            jsonb_build_object('partner', partner, 'action', action));
          reported := reported + 1;
          if action = 'disabled' then -- as an operator's, which no key can undo
            update %1$I.api_key a
              set disabled_at = coalesce(a.disabled_at, clock_timestamp()),
                disabled_by = case when a.disabled_by like 'cli:%%' then a.disabled_by else 'program' end
              where a.tenant_id = leaked.tenant_id and a.id = leaked.id;
          end if;
          insert into audit.entry (id, actor, action, tenant_id, subject, details)
            values (platform.new_uuid(), 'program', 'key.leaked', leaked.tenant_id,
              platform.public_id('key', leaked.id), jsonb_build_object('partner', partner, 'action', action));
        end loop;
        return reported;
      end
      $function$;

      -- Looks for what is to be told, and forgets what is past retention. Answers how many rows that
      -- was; null where another instance is at it.
      create function %1$I.find_events(what text) returns integer
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $function$
      declare
        this_moment timestamptz := clock_timestamp();
        this_month date := date_trunc('month', this_moment at time zone 'UTC')::date;
        month_name text := to_char(this_month, 'YYYY-MM');
        rows integer := 0;
      begin
        perform from platform.maintenance_turn t where t.task = %1$L || '.event' for update skip locked;
        if not found then
          return null;
        end if;
        case what
          when 'quota' then
            -- Each threshold once a month, and again when the units became more than they were at
            -- any telling. Units are as charged: test keys are not.
            insert into %1$I.event (tenant_id, kind, occasion, detail)
              select u.tenant_id, 'quota_' || a.percent, month_name || ' ' || u.per_month,
                  jsonb_build_object('month', month_name, 'units', u.units, 'per_month', u.per_month)
                from (
                  select t.id as tenant_id, p.units_per_month as per_month, c.units
                    from (
                      select tenant_id, sum(units)::bigint as units from (
                        select s.tenant_id, s.units from %1$I.slice s where s.month = this_month
                        union all
                        select m.tenant_id, m.units from %1$I.period m where m.month = this_month
                      ) part group by 1
                    ) c
                    join platform.tenant t on t.id = c.tenant_id
                    join platform.plan p on p.name = t.plan
                    where p.alerts and p.units_per_month > 0
                ) u
                cross join (values (80), (100)) as a(percent)
                where u.units * 100.0 >= u.per_month * a.percent::numeric
                  and not exists (
                    select from %1$I.event e
                      where e.tenant_id = u.tenant_id and e.kind = 'quota_' || a.percent
                        and e.detail ->> 'month' = month_name
                        and (e.detail ->> 'per_month')::bigint >= u.per_month)
                on conflict (tenant_id, kind, occasion) do nothing;
          when 'expiry' then
            -- 7 days and 1 day before a key's end, but not of one whose whole life is no longer, nor of
            -- one that another has replaced.
            insert into %1$I.event (tenant_id, kind, key_id, occasion, detail)
              select k.tenant_id, 'key_expiring', k.id,
                  k.id || ' ' || w.days || ' ' || extract(epoch from k.expires_at),
                  jsonb_build_object('days', w.days, 'expires_at',
                    to_char(k.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                from %1$I.api_key k
                join (values (7, 1), (1, 0)) as w(days, at_least)
                  on k.expires_at <= this_moment + make_interval(days => w.days)
                    and k.expires_at > this_moment + make_interval(days => w.at_least)
                    and k.expires_at - k.created_at > make_interval(days => w.days)
                where k.expires_at > this_moment and k.expires_at <= this_moment + interval '7 days'
                  and k.revoked_at is null and k.disabled_at is null and k.replaced_by is null
                on conflict (tenant_id, kind, occasion) do nothing;
          when 'retention' then
            delete from %1$I.event e using platform.tenant t, platform.plan p
              where t.id = e.tenant_id and p.name = t.plan
                and e.at < this_moment - make_interval(days => p.retention_days);
        end case;
        get diagnostics rows = row_count;
        return rows;
      end
      $function$;
    $ddl$, s.name, s.customer);
    foreach name in array array['append_event', 'note_keys_in_clear', 'report_leaks', 'find_events'] loop
      execute format($ddl$
        alter function %1$I.%2$I owner to zt_service;
        revoke all on function %1$I.%2$I from public;
      $ddl$, s.name, name);
    end loop;
    execute format('grant execute on function %1$I.append_event to zt_runtime, zt_operator', s.name);
    execute format('grant execute on function %1$I.note_keys_in_clear, %1$I.report_leaks,
      %1$I.find_events to zt_runtime', s.name);
  end loop;
end
$migration$;
