-- Roles, and what nobody may. Run by an administrator of the server, in the deployment's database,
-- in one transaction; again is harmless. What an administrator who is no superuser cannot revoke
-- stays, with a warning: the program looks at the effect (bootstrap.ts).

do $$
declare
  name text;
begin
  foreach name in array array['zt_owner', 'zt_migrate', 'zt_runtime', 'zt_admin', 'zt_operator',
    'zt_tenant', 'zt_sandbox', 'zt_service', 'zt_backup', 'zt_health', 'zt_role_admin',
    'zt_engineer'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I', name);
    end if;
  end loop;
end $$;

alter role zt_owner    nologin noinherit nocreatedb nocreaterole;
alter role zt_operator nologin noinherit nocreatedb nocreaterole;
alter role zt_tenant   nologin noinherit nocreatedb nocreaterole;
alter role zt_sandbox  nologin noinherit nocreatedb nocreaterole;
alter role zt_service  nologin noinherit nocreatedb nocreaterole;
alter role zt_health   nologin noinherit nocreatedb nocreaterole;
alter role zt_engineer nologin noinherit nocreatedb nocreaterole;
alter role zt_role_admin nologin inherit nocreatedb createrole; -- the only one, and nobody's
alter role zt_migrate  login inherit     nocreatedb nocreaterole;
alter role zt_runtime  login noinherit   nocreatedb nocreaterole;
alter role zt_admin    login noinherit   nocreatedb nocreaterole;
alter role zt_backup   login noinherit   nocreatedb nocreaterole;

-- zt_migrate makes objects and hands them over ("owner to"), which needs SET; it never becomes
-- zt_owner, under whose forced row security an UPDATE would touch no row without a word.
do $$
begin
  if current_setting('server_version_num')::int >= 160000 then -- text, for 15 cannot read it
    execute 'grant zt_owner, zt_service to zt_migrate with inherit true, set true';
    execute 'grant zt_tenant, zt_sandbox, zt_health to zt_runtime with inherit false, set true';
    execute 'grant zt_tenant, zt_operator to zt_admin with inherit false, set true';
    execute 'grant zt_engineer to zt_role_admin with admin true, inherit false, set false';
  else -- the same, by each login's own INHERIT
    grant zt_owner, zt_service to zt_migrate;
    grant zt_tenant, zt_sandbox, zt_health to zt_runtime;
    grant zt_tenant, zt_operator to zt_admin;
  end if;
end $$;

-- Time-outs lie here since a pooler in transaction mode refuses them at start-up.
alter role zt_runtime set statement_timeout = '10s';
alter role zt_runtime set lock_timeout = '500ms';
-- To plan the admission statement anew costs ten times as much as to run it.
alter role zt_runtime set plan_cache_mode = force_generic_plan;
alter role zt_runtime set idle_in_transaction_session_timeout = '10s';
alter role zt_admin   set statement_timeout = '30s';
alter role zt_admin   set lock_timeout = '5s';
alter role zt_admin   set idle_in_transaction_session_timeout = '30s';
alter role zt_backup  set default_transaction_read_only = on;
alter role zt_backup  set lock_timeout = '5s';
alter role zt_migrate set lock_timeout = '5s'; -- queueing for a lock, it would stop all others
alter role zt_migrate set idle_in_transaction_session_timeout = '60s';

-- Whoever is no superuser makes a schema for a role, and what is in it, as the role's member: until
-- the end of this file.
do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    if current_setting('server_version_num')::int >= 160000 then
      execute format('grant zt_role_admin to %I with inherit true, set true', current_user);
    else
      execute format('grant zt_role_admin to %I', current_user);
    end if;
  end if;
end $$;
create schema if not exists role_admin authorization zt_role_admin;

-- Taken from PUBLIC: to connect without being asked; set_config, which changes the tenant within any
-- predicate; advisory locks, large objects and notifications, which reach across tenants; statistics,
-- which tell how much others do, as locks, sizes, log positions and the fate of others' transactions do;
-- what reads text as a query, what stays in the session for the next tenant (setseed, cursors), and
-- what writes to the log. What PUBLIC had and has no more is noted in the schema's comment,
-- so that drop.ts can give it back.
do $$
declare
  held_by_public constant text := $q$
    select coalesce(jsonb_agg(jsonb_build_array(kind, name, lower(privilege_type))), '[]')
    from (
      select 'database' as kind, '' as name, coalesce(datacl, acldefault('d', datdba)) as acl
        from pg_database where datname = current_database()
      union all
      select 'schema', nspname, coalesce(nspacl, acldefault('n', nspowner))
        from pg_namespace where nspname = 'public'
      union all
      select 'function', oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner))
        from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace and prokind = 'f'
          and (proname in ('set_config', 'pg_notify', 'loread', 'lowrite')
            or proname ~ '^(lo_|pg_(try_)?advisory_|pg_stat_|pg_lock_|pg_.*blocking_pids$|pg_control_'
              '|pg_(relation|table|indexes|total_relation|tablespace|database)_size$|pg_current_wal_'
              '|pg_logical_emit_|pg_export_snapshot$|pg_xact_|txid_status$|pg_last_committed_'
              '|pg_get_multixact_|pg_get_replication_slots$|pg_prepared_|pg_cursor$'
              '|pg_listening_|pg_notification_|currtid|setseed$|ts_stat$'
              '|(query|table|schema|database|cursor)_to_xml)')
      union all
      select 'table', oid::regclass::text, coalesce(relacl, acldefault('r', relowner))
        from pg_class
        where relnamespace = 'pg_catalog'::regnamespace and relkind = 'v'
          and relname ~ '^pg_(stat|locks$|prepared_|cursors$|replication_slots$)'
    ) objects, aclexplode(acl)
    where grantee = 0$q$;
  before jsonb;
  after jsonb;
  noted jsonb := coalesce(obj_description('role_admin'::regnamespace, 'pg_namespace'), '[]');
  one jsonb;
begin
  execute held_by_public into before;
  for one in select * from jsonb_array_elements(before) loop
    if one->>0 = 'database' then
      execute format('revoke all on database %I from public', current_database());
    elsif one->>0 = 'function' then
      execute format('revoke all on function %s from public', (one->>1)::regprocedure);
    elsif one->>0 = 'table' then
      execute format('revoke all on table %s from public', (one->>1)::regclass);
    else
      revoke all on schema public from public;
    end if;
  end loop;
  execute held_by_public into after;
  select coalesce(jsonb_agg(distinct what), '[]') into noted
    from (select jsonb_array_elements(noted) union select jsonb_array_elements(before)
      except select jsonb_array_elements(after)) x(what);
  execute format('comment on schema role_admin is %L', noted);

  execute format('grant connect on database %I to zt_migrate, zt_runtime, zt_admin, zt_backup',
    current_database());
  execute format('grant create on database %I to zt_migrate', current_database());
end $$;
grant execute on function pg_catalog.set_config(text, text, boolean) to zt_runtime, zt_admin;
grant execute on function pg_catalog.pg_try_advisory_lock(bigint),
  pg_catalog.pg_advisory_unlock(bigint) to zt_migrate;
grant execute on function pg_catalog.pg_export_snapshot(),
  pg_catalog.pg_relation_size(regclass), pg_catalog.pg_relation_size(regclass, text)
  to zt_backup, zt_migrate;
-- How many standbys are connected: without pg_read_all_stats all else in it is null (standby.ts).
grant execute on function pg_catalog.pg_stat_get_wal_senders() to zt_health, zt_migrate;
grant execute on function pg_catalog.pg_stat_get_activity(integer) to zt_role_admin;
grant select on table pg_catalog.pg_stat_activity to zt_role_admin;

-- Grant roles: the only roles that are made while the program runs. Nobody may execute these yet.
-- On PostgreSQL 15 CREATEROLE reaches every role but superusers, so all that keeps it narrow is here:
-- no login, no member, a name that no other role has, and no clause that comes from a caller.
set local role zt_role_admin;

create or replace function role_admin.check_name(name text) returns text
  language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
  if name is null or name !~ '^zt_grant_[a-z0-9]{8,26}$' then
    raise invalid_parameter_value using message = 'that is not the name of a grant role';
  end if;
  return name;
end $$;

-- Makes a role that may log in until then. A name is used once.
create or replace function role_admin.open_grant_role(name text, scram_verifier text, until timestamptz)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform role_admin.check_name(name);
  if scram_verifier is null
    or scram_verifier !~ '^SCRAM-SHA-256\$[0-9]{4,6}:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$'
  then
    raise invalid_parameter_value using message = 'that is not a SCRAM-SHA-256 verifier';
  end if;
  if until is null or not isfinite(until) or until <= clock_timestamp() then
    raise invalid_parameter_value using message = 'a grant role needs an end that lies ahead';
  end if;
  execute format('create role %I login inherit password %L valid until %L in role zt_engineer',
    name, scram_verifier, until);
  -- Whose privileges one has, one may terminate.
  if current_setting('server_version_num')::int >= 160000 then
    execute format('grant %I to zt_role_admin with inherit true, set false', name);
  else
    execute format('grant %I to zt_role_admin', name);
  end if;
end $$;

-- No more logins, and sessions end. Answers how many there were: once one call is committed, the
-- next sees all that are left, so it is called until it answers 0.
create or replace function role_admin.close_grant_role(name text) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('alter role %I nologin', role_admin.check_name(name));
  return (select count(pg_terminate_backend(pid)) from pg_stat_activity a where a.usename = name);
end $$;

-- Only a closed one. Fails where it holds anything, which it was never given.
create or replace function role_admin.drop_grant_role(name text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform role_admin.check_name(name);
  if exists (select from pg_roles where rolname = name and rolcanlogin)
    or exists (select from pg_stat_activity a where a.usename = name)
  then
    raise object_in_use using message = 'the grant role is not closed, or has sessions';
  end if;
  execute format('drop role %I', name);
end $$;

revoke all on all functions in schema role_admin from public;
reset role;

do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('revoke zt_role_admin from %I', current_user);
  end if;
end $$;
