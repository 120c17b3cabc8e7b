-- Keys by request: what is asked, what is decided, and links that show a key once.
-- Safe online: a new table and functions; new policies and grants take their locks for a moment, within
-- the lock_timeout.

grant usage on schema platform to zt_runtime;
grant create on schema platform to zt_service; -- a function is handed over only to whom may create

-- No tenant's: who asks has none yet. What an applicant wrote is sealed; no raw link is here.
create table platform.key_request (
  id            uuid primary key,
  asked_at      timestamptz not null default clock_timestamp(),
  sealed        bytea not null, -- JSON: keys/request.ts
  contact_index bytea not null check (octet_length(contact_index) = 16), -- blind
  attempt_index bytea unique check (octet_length(attempt_index) = 16),   -- blind: Idempotency-Key, content
  state         text not null default 'open' check (state in ('open', 'approved', 'declined', 'done')),
  decided_at    timestamptz,
  decided_by    text check (length(decided_by) between 1 and 200), -- as in audit.entry
  plan          text, -- no reference: a plan can go while a link is out, which then waits
  environment   text check (environment in ('live', 'test')),
  scopes        integer, -- bits: keys/scopes.ts
  given_to      uuid references platform.tenant, -- null: a tenant is made with the key
  link_digest   bytea unique check (octet_length(link_digest) = 32), -- SHA-256 of the newest link
  link_ends_at  timestamptz,
  mailed_at     timestamptz,
  mail_tries    smallint not null default 0,
  mail_due_at   timestamptz, -- of self-service: when the server mails the link
  done_at       timestamptz,
  key_id        uuid,
  check ((state = 'open') = (decided_at is null)),
  check ((state = 'open') = (decided_by is null)),
  check (state not in ('approved', 'done')
    or (plan is not null and environment is not null and scopes is not null)),
  check ((link_digest is null) = (link_ends_at is null)),
  check ((state = 'done') = (done_at is not null and key_id is not null))
);
create index key_request_asked on platform.key_request (asked_at);
create index key_request_contact on platform.key_request (contact_index);
create index key_request_given_to on platform.key_request (given_to);
alter table platform.key_request owner to zt_owner;
alter table platform.key_request enable row level security;
alter table platform.key_request force row level security;
create policy every_row on platform.key_request to zt_migrate using (true) with check (true);
create policy backup on platform.key_request for select to zt_backup using (true);
create policy operator on platform.key_request to zt_operator using (true) with check (true);
create policy service on platform.key_request to zt_service using (true) with check (true);
grant select on platform.key_request to zt_backup;
grant select, update, delete on platform.key_request to zt_operator;
grant select, insert, update, delete on platform.key_request to zt_service;
insert into platform.maintenance_turn values ('platform.key_request'), ('platform.ask_for_key');

-- What claiming a key makes.
create policy by_request on platform.tenant_key for insert to zt_service with check (true);
grant insert on platform.tenant, platform.tenant_key, live.api_key, sandbox.api_key to zt_service;
grant update (created_at) on platform.tenant, live.api_key, sandbox.api_key
  to zt_service; -- locking a row needs update

-- Plans that people may issue themselves a key on: open to all.
create function platform.self_service_plans()
  returns table (name text, units_per_month bigint, requests_per_second integer)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select p.name, p.units_per_month, p.requests_per_second
      from platform.plan p where p.self_service order by p.units_per_month nulls last, p.name;
  end;

-- Keeps a request. On a plan of self-service (`wish`) it is approved at once, where the server can mail:
-- once an address, and no more than `hourly` an hour. Of one address three in 30 days are kept, further
-- ones go nowhere, and nobody is told. Answers 'full' beyond `most` that are open, or with its id.
create function platform.ask_for_key(
  id uuid, shown_id text, sealed bytea, contact_indexes bytea[], attempt bytea,
  wish text, scopes integer, can_mail boolean, most integer, hourly integer,
  out outcome text, out kept uuid
) language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $function$
declare
  this_moment timestamptz;
  is_self boolean;
begin
  -- One at a time, or what is counted below would hold only for those who ask one after the other.
  perform from platform.maintenance_turn t where t.task = 'platform.ask_for_key' for update;
  this_moment := clock_timestamp();
  select 'again', r.id into outcome, kept
    from platform.key_request r where r.attempt_index = attempt;
  if found then
    return;
  end if;
  outcome := 'kept';
  kept := ask_for_key.id;
  if (select count(*) from platform.key_request r
      where r.contact_index = any (contact_indexes)
        and r.asked_at > this_moment - interval '30 days') >= 3 then
    -- Writes as a kept one does, so that its time does not tell.
    update platform.key_request r set mail_tries = r.mail_tries where r.id = (
      select x.id from platform.key_request x
        where x.contact_index = any (contact_indexes) limit 1 for update skip locked);
    return;
  end if;
  if (select count(*) from platform.key_request r where r.state in ('open', 'approved')) >= most then
    outcome := 'full';
    return;
  end if;
  is_self := can_mail
    and exists (select from platform.plan p where p.name = wish and p.self_service)
    and not exists (select from platform.key_request r
      where r.contact_index = any (contact_indexes) and r.decided_by = 'self-service')
    and (select count(*) from platform.key_request r
      where r.decided_by = 'self-service' and r.decided_at > this_moment - interval '1 hour') < hourly;
  if is_self then
    insert into platform.key_request (id, asked_at, sealed, contact_index, attempt_index, state,
        decided_at, decided_by, plan, environment, scopes, mail_due_at)
      values (ask_for_key.id, this_moment, ask_for_key.sealed, contact_indexes[1], attempt, 'approved',
        this_moment, 'self-service', wish, 'live', ask_for_key.scopes, this_moment);
    insert into audit.entry (id, actor, action, tenant_id, subject, details)
      values (gen_random_uuid(), 'self-service', 'request.approved', null, shown_id,
        jsonb_build_object('plan', wish, 'environment', 'live'));
  else
    insert into platform.key_request (id, asked_at, sealed, contact_index, attempt_index)
      values (ask_for_key.id, this_moment, ask_for_key.sealed, contact_indexes[1], attempt);
  end if;
end
$function$;

-- Gives the oldest request of self-service whose mail is due a new link, and some time to be mailed;
-- eight times at most, each pause twice as long.
create function platform.take_key_link(digest bytea, hours integer) returns table (id uuid, sealed bytea)
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  begin atomic
    update platform.key_request r
      set link_digest = digest, link_ends_at = clock_timestamp() + make_interval(hours => hours),
        mail_tries = r.mail_tries + 1,
        mail_due_at = case when r.mail_tries < 7
          then clock_timestamp() + make_interval(mins => (2 ^ r.mail_tries)::integer) end
      where r.state = 'approved' and r.id = (
        select d.id from platform.key_request d
          where d.state = 'approved' and d.mail_due_at <= clock_timestamp()
          order by d.mail_due_at limit 1 for update skip locked)
      returning r.id, r.sealed;
  end;

create function platform.key_link_mailed(digest bytea) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  begin atomic
    update platform.key_request r set mailed_at = clock_timestamp(), mail_due_at = null
      where r.link_digest = digest;
  end;

-- What a link stands for; no row for one that is none, was replaced or declined. Changes nothing.
create function platform.key_link(digest bytea)
  returns table (id uuid, sealed bytea, environment text, given_to uuid, standing text, done_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select r.id, r.sealed, r.environment, r.given_to,
        case when r.state = 'done' then 'used'
          when r.link_ends_at <= clock_timestamp() then 'expired' else 'good' end,
        r.done_at
      from platform.key_request r
      where r.link_digest = digest and r.state in ('approved', 'done');
  end;

-- Makes the key of a link, all at once and once: of those who come with one link at the same time, one
-- gets 'made'. Where it is to have a new tenant, that is made with its contact (0013_events.sql). What is
-- said of a key is as in api_key; the key itself is with the caller alone.
create function platform.claim_key(
  digest bytea, request text, tenant uuid, tenant_shown text, name_indexes bytea[], sealed_name bytea,
  seed bytea, contact uuid, sealed_contact bytea,
  key uuid, key_shown text, sealed_key_name bytea, index8 text, key_digest bytea
) returns text
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $function$
declare
  this_moment timestamptz;
  r platform.key_request;
  most integer;
  living integer;
begin
  select * into r from platform.key_request x where x.link_digest = digest for update;
  this_moment := clock_timestamp();
  if not found or r.state not in ('approved', 'done') then
    return 'unknown';
  elsif r.state = 'done' then
    return 'used';
  elsif r.link_ends_at <= this_moment then
    return 'expired';
  elsif r.given_to is not null and r.given_to <> tenant then
    return 'changed';
  elsif r.given_to is null and seed is null then
    return 'changed';
  end if;
  if r.given_to is null then
    select p.max_keys into most from platform.plan p where p.name = r.plan;
    living := 0;
  else -- as keys/keys.ts counts
    perform from platform.tenant t where t.id = tenant for no key update;
    perform from live.api_key k where k.tenant_id = tenant and k.revoked_at is null
      order by k.id for no key update;
    perform from sandbox.api_key k where k.tenant_id = tenant and k.revoked_at is null
      order by k.id for no key update;
    select p.max_keys into most
      from platform.tenant t join platform.plan p on p.name = t.plan where t.id = tenant;
    select count(*) into living from (
      select revoked_at, replaced_by, expires_at from live.api_key k
        where k.tenant_id = tenant and r.environment = 'live'
      union all
      select revoked_at, replaced_by, expires_at from sandbox.api_key k
        where k.tenant_id = tenant and r.environment = 'test'
    ) k where k.revoked_at is null and k.replaced_by is null
      and (k.expires_at is null or k.expires_at > this_moment);
  end if;
  if not found or living >= most then
    return 'full';
  end if;
  if r.given_to is null then
    if exists (select from platform.tenant t where t.name_index = any (name_indexes)) then
      return 'name taken';
    end if;
    insert into platform.tenant (id, name_index, sealed_name, plan)
      values (tenant, name_indexes[1], claim_key.sealed_name, r.plan)
      on conflict (name_index) do nothing;
    if not found then
      return 'name taken';
    end if;
    insert into platform.tenant_key (tenant_id, seed) values (tenant, claim_key.seed);
    insert into platform.contact (tenant_id, id, sealed_address)
      values (tenant, contact, sealed_contact);
    insert into audit.entry (id, actor, action, tenant_id, subject, details)
      values (gen_random_uuid(), r.decided_by, 'tenant.created', tenant, tenant_shown,
        jsonb_build_object('request', request));
  end if;
  if r.environment = 'live' then
    insert into live.api_key (tenant_id, id, sealed_name, index8, digest, scopes, issued_by)
      values (tenant, key, sealed_key_name, claim_key.index8, key_digest, r.scopes, r.decided_by);
  else
    insert into sandbox.api_key (tenant_id, id, sealed_name, index8, digest, scopes, issued_by)
      values (tenant, key, sealed_key_name, claim_key.index8, key_digest, r.scopes, r.decided_by);
  end if;
  update platform.key_request x
    set state = 'done', done_at = this_moment, given_to = tenant, key_id = key, mail_due_at = null
    where x.id = r.id;
  insert into audit.entry (id, actor, action, tenant_id, subject, details)
    values (gen_random_uuid(), r.decided_by, 'key.issued', tenant, key_shown,
      jsonb_build_object('environment', r.environment, 'request', request));
  return 'made';
end
$function$;

-- Forgets requests: 90 days after nobody decided, 30 after all was done with them. As live.retain.
create function platform.retain(what text, at_most integer) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $function$
declare
  removed integer;
begin
  perform from platform.maintenance_turn t
    where t.task = 'platform.' || what for update skip locked;
  if not found then
    return null;
  end if;
  delete from platform.key_request r using (
      select x.id from platform.key_request x
        where case x.state
          when 'open' then x.asked_at < clock_timestamp() - interval '90 days'
          when 'declined' then x.decided_at < clock_timestamp() - interval '30 days'
          when 'done' then x.done_at < clock_timestamp() - interval '30 days'
          else coalesce(x.link_ends_at, x.decided_at) < clock_timestamp() - interval '30 days'
        end
        order by x.asked_at limit at_most for update skip locked
    ) old
    where r.id = old.id;
  get diagnostics removed = row_count;
  return removed;
end
$function$;

do $migration$
declare
  name text;
begin
  foreach name in array array['self_service_plans', 'ask_for_key', 'take_key_link', 'key_link_mailed',
    'key_link', 'claim_key', 'retain'] loop
    execute format('alter function platform.%I owner to zt_service', name);
    execute format('revoke all on function platform.%I from public', name);
    execute format('grant execute on function platform.%I to zt_runtime', name);
  end loop;
end
$migration$;
