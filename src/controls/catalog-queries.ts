/**
 * The queries of catalog.ts: each gives rows of one column `row`, in the form of that file's types.
 * Written to say the same on PostgreSQL 15 and 18, and for any role.
 */

/** Roles of the deployment; those of grants come and go, and are seen to as outsiders. */
const OURS = String.raw`(rolname like 'zt\_%' and rolname not like 'zt\_grant\_%')`
const GRANT_ROLE = "^zt_grant_[a-z0-9]{8,26}$"
const OUR_SCHEMA = String.raw`nspname not like 'pg\_%' and nspname <> 'information_schema'`

const grantee = "case a.grantee when 0 then 'PUBLIC' else pg_get_userbyid(a.grantee)::text end"
const privilege = "lower(a.privilege_type) || case when a.is_grantable then '*' else '' end"

/** Grants beside the owner's own. */
const grants = (acl: string, kind: string, owner: string) => `
  coalesce((select jsonb_agg(jsonb_build_object('role', ${grantee}, 'privilege', ${privilege})
        order by ${grantee} collate "C", ${privilege} collate "C")
      from aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a
      where a.grantee <> ${owner}), '[]')`

/** What the owner took from itself. */
const ownerLacks = (acl: string, kind: string, owner: string) => `
  coalesce((select jsonb_agg(lower(d.privilege_type) order by d.privilege_type collate "C")
      from aclexplode(acldefault('${kind}', ${owner})) d
      where d.grantee = ${owner} and not exists (
        select from aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a
          where a.grantee = ${owner} and a.privilege_type = d.privilege_type)), '[]')`

/** PostgreSQL 15 has no options a membership: SET always, INHERIT by the member's own. */
const option = (name: string, before16: string) =>
  `coalesce((to_jsonb(m)->>'${name}')::boolean, ${before16})`

export const ROLES = `
  select jsonb_build_object('name', rolname, 'login', rolcanlogin, 'inherits', rolinherit,
    'powers', array_remove(array[
      case when rolsuper then 'superuser' end,
      case when rolbypassrls then 'bypasses row security' end,
      case when rolcreaterole then 'makes roles' end,
      case when rolcreatedb then 'makes databases' end,
      case when rolreplication then 'replicates' end,
      case when rolconnlimit >= 0 then 'connections: ' || rolconnlimit end,
      case when rolvaliduntil <> 'infinity' then 'until ' || rolvaliduntil end], null),
    'settings', coalesce((select jsonb_agg(s order by s collate "C")
      from pg_db_role_setting d, unnest(d.setconfig) s
      where d.setrole = r.oid and d.setdatabase in (0,
        (select oid from pg_database where datname = current_database()))), '[]'),
    'memberships', coalesce((select jsonb_agg(jsonb_build_object('role', o.rolname,
          'set', ${option("set_option", "true")},
          'inherit', ${option("inherit_option", "r.rolinherit")},
          'admin', m.admin_option) order by o.rolname collate "C")
      from pg_auth_members m join pg_roles o on o.oid = m.roleid
      -- Grant roles are zt_role_admin's; that it administers what they take is CREATEROLE's on 15.
      where m.member = r.oid and not (r.rolname = 'zt_role_admin'
        and (o.rolname ~ '${GRANT_ROLE}' or o.rolname = 'zt_engineer' and m.admin_option
          and not ${option("set_option", "true")}
          and not ${option("inherit_option", "true")}))), '[]')) as row
    from pg_roles r where ${OURS} order by rolname collate "C"`

export const OUTSIDERS = `
  with recursive held as ( -- which roles each role has, directly or by others
    select m.member, m.roleid, ${option("set_option", "true")} or
        ${option("inherit_option", "(select rolinherit from pg_roles where oid = m.member)")} as has,
        m.admin_option as administers
      from pg_auth_members m
    union
    select h.member, m.roleid, h.has and (${option("set_option", "true")} or
        ${option("inherit_option", "true")}), false
      from held h join pg_auth_members m on m.member = h.roleid
  ), reach as (
    select r.oid, r.rolname, r.rolcreaterole, 'has ' || o.rolname as what, false as by_making
      from held h join pg_roles r on r.oid = h.member join pg_roles o on o.oid = h.roleid
      where h.has and (o.rolname like 'zt\\_%'
        or o.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain'))
        and not (r.rolname ~ '${GRANT_ROLE}' and o.rolname = 'zt_engineer')
    union
    select r.oid, r.rolname, r.rolcreaterole, 'administers ' || o.rolname, r.rolcreaterole
      from held h join pg_roles r on r.oid = h.member join pg_roles o on o.oid = h.roleid
      where h.administers and not h.has and o.rolname like 'zt\\_%'
    union
    select r.oid, r.rolname, r.rolcreaterole, 'reaches schema ' || nspname, false
      from pg_roles r, pg_namespace n
      where ${OUR_SCHEMA} and nspname <> 'public' and not (r.rolname ~ '^zt_grant_')
        and has_schema_privilege(r.oid, n.oid, 'usage, create')
    union
    select r.oid, r.rolname, false, 'bypasses row security', false
      from pg_roles r, pg_namespace n
      where r.rolbypassrls and ${OUR_SCHEMA} and nspname <> 'public'
        and has_schema_privilege(r.oid, n.oid, 'usage')
    union
    select r.oid, r.rolname, false, 'is more than a grant role', false
      from pg_roles r
      where r.rolname like 'zt\\_grant\\_%' and (r.rolname !~ '${GRANT_ROLE}'
        or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolsuper
        or exists (select from pg_shdepend d where d.refclassid = 'pg_authid'::regclass
          and d.refobjid = r.oid and d.classid <> 'pg_auth_members'::regclass))
  )
  select jsonb_build_object('name', r.rolname, 'reach',
      string_agg(distinct r.what, ', ' order by r.what), 'isAdministrator', bool_and(r.by_making)) as row
    from reach r join pg_roles p using (oid)
    where not (p.rolsuper and p.rolname not like 'zt\\_%') and r.rolname not like 'pg\\_%'
      and (r.rolname not like 'zt\\_%' or r.rolname like 'zt\\_grant\\_%')
    group by r.rolname order by r.rolname`

export const SCHEMAS = `
  select jsonb_build_object('name', nspname, 'owner', pg_get_userbyid(nspowner),
    'grants', ${grants("nspacl", "n", "nspowner")},
    'ownerLacks', ${ownerLacks("nspacl", "n", "nspowner")}) as row
    from pg_namespace where ${OUR_SCHEMA} order by nspname collate "C"`

const LETTERS = [
  ["S", "select"],
  ["I", "insert"],
  ["U", "update"],
  ["R", "references"],
] as const

const reach = `
  (select coalesce(jsonb_object_agg(rolname, may) filter (where may <> ''), '{}') from (
    select r.rolname, case when c.relkind = 'S' then
        case when has_sequence_privilege(r.oid, c.oid, 'select, usage, update') then 'N' else '' end
      else concat(${LETTERS.map(
        ([letter, name]) => `case when has_table_privilege(r.oid, c.oid, '${name}') then '${letter}'
          when has_any_column_privilege(r.oid, c.oid, '${name}') then '${letter.toLowerCase()}' end`,
      ).join(", ")},
        case when has_table_privilege(r.oid, c.oid, 'delete') then 'D' end,
        case when has_table_privilege(r.oid, c.oid, 'truncate') then 'T' end,
        case when has_table_privilege(r.oid, c.oid, 'trigger') then 'G' end) end as may
      from pg_roles r where ${OURS}) x)`

export const TABLES = `
  select jsonb_build_object('name', format('%I.%I', nspname, relname),
    'partitionOf', (select inhparent::regclass::text from pg_inherits
      where inhrelid = c.oid and relispartition),
    'kind', case relkind when 'v' then 'view' when 'm' then 'materialized view'
      when 'f' then 'foreign table' when 'S' then 'sequence' else 'table' end,
    'owner', pg_get_userbyid(relowner),
    'grants', case relkind when 'S' then ${grants("relacl", "s", "relowner")}
      else ${grants("relacl", "r", "relowner")} end,
    'ownerLacks', case relkind when 'S' then ${ownerLacks("relacl", "s", "relowner")}
      else ${ownerLacks("relacl", "r", "relowner")} end,
    'rowSecurity', relrowsecurity, 'forced', relforcerowsecurity,
    'columns', coalesce((select jsonb_agg(attname order by attnum) from pg_attribute
      where attrelid = c.oid and attnum > 0 and not attisdropped and relkind <> 'S'), '[]'),
    'columnGrants', coalesce((select jsonb_agg(jsonb_build_object('role', ${grantee},
        'privilege', ${privilege}, 'column', attname)
        order by ${grantee} collate "C", ${privilege} collate "C", attnum)
      from pg_attribute, aclexplode(attacl) a where attrelid = c.oid and not attisdropped), '[]'),
    'policies', coalesce((select jsonb_agg(jsonb_build_object('name', polname,
        'command', case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
          when 'd' then 'delete' else 'all' end,
        'permissive', polpermissive,
        'roles', (select jsonb_agg(case role when 0 then 'PUBLIC' else pg_get_userbyid(role) end
          order by pg_get_userbyid(role) collate "C") from unnest(polroles) role),
        'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid))
        order by polname collate "C") from pg_policy where polrelid = c.oid), '[]'),
    'extras', coalesce((select jsonb_agg(what order by what collate "C") from (
      select pg_get_triggerdef(oid) || case tgenabled when 'O' then '' else format(' (%s)', tgenabled) end
        from pg_trigger where tgrelid = c.oid and not tgisinternal
      union all select 'rule ' || rulename from pg_rewrite
        where ev_class = c.oid and rulename <> '_RETURN'
      union all select 'definition ' || left(encode(sha256(convert_to(pg_get_viewdef(c.oid), 'UTF8')), 'hex'), 16)
        where relkind in ('v', 'm')
      union all select unnest(reloptions)
      -- By what they hold: names are a partition's own. Version 18 has NOT NULL here too, as columns have.
      union all select pg_get_constraintdef(oid) from pg_constraint
        where conrelid = c.oid and contype <> 'n'
      union all select format('%s not null', string_agg(quote_ident(attname), ', ' order by attnum))
        from pg_attribute where attrelid = c.oid and attnum > 0 and attnotnull and not attisdropped
        having count(*) > 0) x(what)), '[]'),
    'reach', ${reach}) as row
    from pg_class c join pg_namespace n on n.oid = relnamespace
    where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and ${OUR_SCHEMA}
    order by nspname collate "C", relname collate "C"`

const signature = "format('%I.%I(%s)', nspname, proname, oidvectortypes(proargtypes))"

export const ROUTINES = `
  select jsonb_build_object('name', ${signature},
    'owner', pg_get_userbyid(proowner), 'definer', prosecdef,
    'callers', (select coalesce(jsonb_agg(rolname order by rolname collate "C"), '[]') from pg_roles r
      where ${OURS} and has_function_privilege(r.oid, p.oid, 'execute')),
    'isParsed', prosqlbody is not null,
    'settings', coalesce(to_jsonb(proconfig), '[]'),
    'digest', left(encode(sha256(convert_to(case prokind when 'a' then 'aggregate'
      else pg_get_functiondef(p.oid) end, 'UTF8')), 'hex'), 16),
    'grants', ${grants("proacl", "f", "proowner")},
    'ownerLacks', ${ownerLacks("proacl", "f", "proowner")}) as row
    from pg_proc p join pg_namespace n on n.oid = pronamespace
    where ${OUR_SCHEMA} or (nspname = 'pg_catalog' and p.oid >= 16384)
    order by ${signature} collate "C"`

export const DATABASE = `
  select jsonb_build_object('grants', ${grants("datacl", "d", "datdba")},
    'ownerIsSuperuser', (select rolsuper from pg_roles where oid = datdba),
    'settings', coalesce((select jsonb_agg(s order by s collate "C")
      from pg_db_role_setting r, unnest(r.setconfig) s
      where r.setrole = 0 and r.setdatabase = d.oid), '[]')) as row
    from pg_database d where datname = current_database()`

export const DEFAULTS = `
  select format('%s, by %s%s: %s', case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'
      when 'f' then 'functions' when 'T' then 'types' else 'schemas' end,
      pg_get_userbyid(defaclrole),
      case defaclnamespace when 0 then '' else ' in ' || defaclnamespace::regnamespace end,
      coalesce((select string_agg(format('%s to %s', ${privilege}, ${grantee}), ', '
        order by ${grantee}, ${privilege}) from aclexplode(defaclacl) a), 'nothing')) as row
    from pg_default_acl order by 1`

/** What is in a new database, against what is now: both as rows of role and privilege. */
const changes = (acl: string, kind: string, owner: string) => `
  lateral (select ${grantee} as role, lower(a.privilege_type) as privilege, false as had, true as has
    from aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a where a.grantee <> ${owner}
   union all
   select ${grantee}, lower(a.privilege_type), true, false
    from aclexplode(coalesce(i.initprivs, acldefault('${kind}', ${owner}))) a where a.grantee <> ${owner})`

const initial = (catalog: string, oid: string, column: string) =>
  `left join pg_init_privs i on i.classoid = '${catalog}'::regclass and i.objoid = ${oid}
    and i.objsubid = ${column}`

const BUILT_IN = "nspname in ('pg_catalog', 'information_schema')"

export const DEVIATIONS = `
  select jsonb_build_object('kind', kind, 'object', object, 'name', name, 'role', role,
      'privilege', privilege, 'has', bool_or(has)) as row
    from (
      select 'function' as kind, ${signature} as object, proname as name, x.*
        from pg_proc p join pg_namespace n on n.oid = pronamespace
          ${initial("pg_proc", "p.oid", "0")}, ${changes("proacl", "f", "proowner")} x
        where ${BUILT_IN} and p.oid < 16384 and (proacl is not null or i.objoid is not null)
      union all
      select 'relation', format('%I.%I', nspname, relname), relname, x.*
        from pg_class c join pg_namespace n on n.oid = relnamespace
          ${initial("pg_class", "c.oid", "0")}, ${changes("relacl", "r", "relowner")} x
        where ${BUILT_IN} and relkind in ('r', 'v')
      union all
      select 'relation', format('%I.%I(%I)', nspname, relname, attname), relname, x.*
        from pg_attribute t join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
          ${initial("pg_class", "c.oid", "attnum")}, ${changes("attacl", "c", "relowner")} x
        where ${BUILT_IN} and relkind in ('r', 'v') and (attacl is not null or i.objoid is not null)
    ) all_changes
    where not (role = 'PUBLIC' and object like 'information_schema.%') -- views on what one may see
    group by kind, object, name, role, privilege
    having bool_or(has) <> bool_or(had)
    order by object collate "C", role collate "C", privilege collate "C"`

export const PUBLIC_BUILTINS = `
  select jsonb_build_object('kind', 'function', 'name', proname) as row
    from pg_proc join pg_namespace n on n.oid = pronamespace
    where nspname = 'pg_catalog' and proname ~ '^(pg_|lo|set|currtid|txid_|ts_stat|(query|table|schema|database|cursor)_to_xml)'
      and has_function_privilege('public', pg_proc.oid, 'execute')
    group by proname
  union all
  select jsonb_build_object('kind', 'relation', 'name', relname)
    from pg_class join pg_namespace n on n.oid = relnamespace
    where nspname = 'pg_catalog' and relkind = 'v' and has_table_privilege('public', pg_class.oid, 'select')`

/** Objects by which data could go elsewhere or code could run, none of which are made here. */
export const OTHERS = `
  select what as row from (
    select 'event trigger ' || evtname from pg_event_trigger
    union all select 'publication ' || pubname from pg_publication
    union all select 'subscription ' || subname from pg_subscription
      where subdbid = (select oid from pg_database where datname = current_database())
    union all select 'foreign data wrapper ' || fdwname from pg_foreign_data_wrapper
    union all select 'foreign server ' || srvname from pg_foreign_server
    union all select 'extension ' || extname from pg_extension where extname <> 'plpgsql'
    union all select 'language ' || lanname from pg_language
      where lanname not in ('internal', 'c', 'sql', 'plpgsql')
    union all select 'cast to ' || format_type(casttarget, null) from pg_cast where oid >= 16384
    union all select 'operator ' || oprname from pg_operator where oid >= 16384
    union all select format('parameter %s: %s to %s', parname, ${privilege}, ${grantee})
      from pg_parameter_acl, aclexplode(paracl) a
      where a.grantee = 0 or a.grantee in (select oid from pg_roles where ${OURS})
    union all select 'large objects' where exists (select from pg_largeobject_metadata)
  ) x(what) order by what`
