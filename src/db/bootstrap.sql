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
alter role zt_role_admin nologin noinherit nocreatedb createrole; -- the only one, and nobody's
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
  else -- the same, by each login's own INHERIT
    grant zt_owner, zt_service to zt_migrate;
    grant zt_tenant, zt_sandbox, zt_health to zt_runtime;
    grant zt_tenant, zt_operator to zt_admin;
  end if;
end $$;

-- Time-outs lie here since a pooler in transaction mode refuses them at start-up.
alter role zt_runtime set statement_timeout = '10s';
alter role zt_runtime set lock_timeout = '2s';
alter role zt_runtime set idle_in_transaction_session_timeout = '10s';
alter role zt_admin   set statement_timeout = '30s';
alter role zt_admin   set lock_timeout = '5s';
alter role zt_admin   set idle_in_transaction_session_timeout = '30s';
alter role zt_backup  set default_transaction_read_only = on;
alter role zt_backup  set lock_timeout = '5s';
alter role zt_migrate set lock_timeout = '5s'; -- queueing for a lock, it would stop all others
alter role zt_migrate set idle_in_transaction_session_timeout = '60s';

do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to zt_migrate, zt_runtime, zt_admin, zt_backup',
    current_database());
  execute format('grant create on database %I to zt_migrate', current_database());
end $$;
revoke all on schema public from public;

-- set_config changes the tenant within any predicate; advisory locks, large objects and
-- notifications reach across tenants; statistics tell how much others do.
do $$
declare
  functions text;
  views text;
begin
  select string_agg(oid::regprocedure::text, ', ') into functions
    from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and prokind = 'f'
      and (proname in ('set_config', 'pg_notify', 'loread', 'lowrite')
        or proname ~ '^(lo_|pg_(try_)?advisory_|pg_stat_)')
      and has_function_privilege('public', oid, 'execute');
  if functions is not null then
    execute format('revoke execute on function %s from public', functions);
  end if;
  select string_agg(oid::regclass::text, ', ') into views
    from pg_class
    where relnamespace = 'pg_catalog'::regnamespace and relkind = 'v' and relname ~ '^pg_stat'
      and has_table_privilege('public', oid, 'select');
  if views is not null then
    execute format('revoke all on table %s from public', views);
  end if;
end $$;
grant execute on function pg_catalog.set_config(text, text, boolean) to zt_runtime, zt_admin;
grant execute on function pg_catalog.pg_try_advisory_lock(bigint),
  pg_catalog.pg_advisory_unlock(bigint) to zt_migrate;
