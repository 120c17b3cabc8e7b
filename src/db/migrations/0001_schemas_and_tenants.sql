-- Schemas, tenants, and the tenant that row policies ask for. Safe online: all of it is new.

alter default privileges revoke execute on functions from public;

create schema platform;
create schema live;
create schema sandbox;
create schema audit;
alter schema platform owner to zt_owner;
alter schema live     owner to zt_owner;
alter schema sandbox  owner to zt_owner;
alter schema audit    owner to zt_owner;
grant usage on schema platform to zt_tenant, zt_sandbox, zt_operator, zt_service, zt_backup;
grant usage on schema live     to zt_runtime, zt_tenant, zt_operator, zt_service, zt_backup;
grant usage on schema sandbox  to zt_runtime, zt_sandbox, zt_operator, zt_service, zt_backup;
grant usage on schema audit    to zt_operator, zt_service, zt_backup;
-- A function can be handed over only to whom may create in its schema.
grant create on schema live, sandbox, audit to zt_service;

create table platform.migration (
  number     integer primary key,
  name       text not null,
  sha256     text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  applied_at timestamptz not null default clock_timestamp()
);
alter table platform.migration owner to zt_owner;
grant select on platform.migration to zt_backup;

-- '' is what an unset tenant looks like once a transaction has set it and ended: no tenant, no row.
create function platform.current_tenant() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('zt.tenant', true), '')::uuid;
alter function platform.current_tenant() owner to zt_owner;
grant execute on function platform.current_tenant() to zt_tenant, zt_sandbox;

-- What tenants may use. Null: no limit. A change holds from the next request.
create table platform.plan (
  name                text primary key check (name ~ '^[a-z][a-z0-9-]{0,39}$'),
  units_per_month     bigint check (units_per_month >= 0),
  soft                boolean not null default false, -- past the units: told, and served
  requests_per_second integer check (requests_per_second between 1 and 1000000),
  burst               integer check (burst between 1 and 10000000),
  max_keys            integer check (max_keys >= 0),
  batch_size          integer not null default 10000 check (batch_size between 1 and 10000),
  retention_days      integer not null default 400 check (retention_days between 1 and 3650),
  self_service        boolean not null default false,
  created_at          timestamptz not null default clock_timestamp(),
  check ((requests_per_second is null) = (burst is null))
);
alter table platform.plan owner to zt_owner;
insert into platform.plan
    (name, units_per_month, requests_per_second, burst, max_keys, batch_size, self_service)
  values
    ('unlimited', null, null, null, null, 10000, false),
    ('free', 500, 2, 10, 2, 100, true),
    ('starter', 10000, 10, 50, 10, 1000, true),
    ('business', 250000, 100, 500, 100, 10000, false);
grant select on platform.plan to zt_tenant, zt_sandbox, zt_service, zt_backup;
grant select, insert, update, delete on platform.plan to zt_operator;

create table platform.tenant (
  id          uuid primary key,
  name_index  bytea not null unique check (octet_length(name_index) = 16), -- blind: found by name
  sealed_name bytea not null,
  plan        text not null default 'unlimited' references platform.plan,
  created_at  timestamptz not null default clock_timestamp()
);
alter table platform.tenant owner to zt_owner;
alter table platform.tenant enable row level security;
alter table platform.tenant force row level security; -- the owner obeys too
create policy every_row on platform.tenant to zt_migrate using (true) with check (true);
create policy backup on platform.tenant for select to zt_backup using (true);
create policy service on platform.tenant to zt_service using (true) with check (true);
create policy operator on platform.tenant to zt_operator using (true) with check (true);
create index tenant_plan on platform.tenant (plan);
create policy own_row on platform.tenant for select to zt_tenant, zt_sandbox
  using (id = (select platform.current_tenant()));
grant select on platform.tenant to zt_tenant, zt_sandbox, zt_service, zt_backup;
grant select, insert, update (name_index, plan) on platform.tenant to zt_operator;

-- Part of each key that a tenant's data is sealed with: without the row, nothing of it opens.
create table platform.tenant_key (
  tenant_id  uuid primary key references platform.tenant,
  seed       bytea not null check (octet_length(seed) = 32),
  created_at timestamptz not null default clock_timestamp()
);
alter table platform.tenant_key owner to zt_owner;
alter table platform.tenant_key enable row level security;
alter table platform.tenant_key force row level security;
create policy every_row on platform.tenant_key to zt_migrate using (true) with check (true);
create policy backup on platform.tenant_key for select to zt_backup using (true);
create policy operator on platform.tenant_key to zt_operator using (true) with check (true);
create policy own_row on platform.tenant_key for select to zt_tenant, zt_sandbox
  using (tenant_id = (select platform.current_tenant()));
grant select on platform.tenant_key to zt_tenant, zt_sandbox, zt_backup;
grant select, insert, delete on platform.tenant_key to zt_operator;
