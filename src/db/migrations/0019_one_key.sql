-- A batch of one key, as a lone request is and a busy customer's are, is looked up, judged and charged by
-- statements without sets: most of what a batch costs is the start of its plans, and theirs start sooner.
-- Safe online: functions are replaced, and take and answer what they did.

do $migration$
declare
  s text;
  definition text;
  general constant text := 'if plain then';
begin
  foreach s in array array['live', 'sandbox'] loop
    definition := pg_get_functiondef(format('%I.admit_batch', s)::regproc);
    if cardinality(string_to_array(definition, general)) <> 2 then
      raise exception 'admit_batch is not as 0018 made it';
    end if;
    execute replace(definition, general, format($block$
        if plain and cardinality(digests) = 1 and cardinality(introduce) = 0 then
          -- As what follows, for one key.
          declare
            cost constant bigint not null := case when %2$L = 'live' then wanted_units[1] else 0 end;
            one record;
          begin
            select k.tenant_id, k.id, t.plan, p.requests_per_second, p.burst, p.units_per_month, p.soft,
                now_us + ceil(d.debt + wanted[1] * d.step)::bigint as tat,
                floor(p.burst - d.debt / d.step + 1e-6) - wanted[1] as room,
                r.version as rate_version, r.changes as rate_changes,
                coalesce(q.units, 0) + cost as units,
                p.units_per_month - coalesce(q.units, 0) - cost as units_left,
                q.version as charge_version, q.changes as charge_changes
              into one
              from %1$I.api_key k
              join platform.tenant t on t.id = k.tenant_id
              join platform.plan p on p.name = t.plan
              left join lateral (
                select r.tat, r.version, r.changes from %1$I.rate r
                  where r.tenant_id = k.tenant_id and r.holder = k.tenant_id
                  order by r.version desc limit 1
              ) r on p.requests_per_second is not null
              cross join lateral (
                select 1e6::float8 / p.requests_per_second as step,
                  platform.debt(r.tat - now_us, p.requests_per_second, p.burst) as debt
              ) d
              left join lateral (
                select c.units, c.version, c.changes from %1$I.charge c
                  where c.tenant_id = k.tenant_id and c.month = this_month
                  order by c.version desc limit 1
              ) q on %2$L = 'live'
              where k.index8 = index8s[1] and k.digest = decode(digests[1], 'hex')
                and k.tenant_id = any (tenants)
                and k.revoked_at is null and k.disabled_at is null and k.addresses is null
                and k.scopes & wanted_scopes[1] = wanted_scopes[1]
                and (k.expires_at <= this_moment) is not true
                and k.requests_per_second is null and (p.concurrency is null or not runs);
            if found and (one.room >= 0) is not false
              and (one.soft or cost = 0 or one.units_left >= 0) is not false
            then
              insert into %1$I.usage (tenant_id, request_id, key_id, at, route, status,
                  latency_bucket, cache_hit, units, plan)
                select one.tenant_id, a.request_id, one.id, this_moment, routes[a.kind],
                  statuses[a.kind], latency_buckets[a.kind], cache_hits[a.kind],
                  case when %2$L = 'live' then costs[a.kind] else 0 end, one.plan
                from unnest(request_ids, kinds) as a(request_id, kind);
              if cost > 0 then
                insert into %1$I.charge as c (tenant_id, month, version, units, changes)
                  values (one.tenant_id, this_month,
                    coalesce(one.charge_version + (one.charge_changes >= most)::integer, 0), one.units,
                    case when one.charge_changes < most then one.charge_changes + 1 else 0 end)
                  on conflict (tenant_id, month, version)
                    do update set units = excluded.units, changes = excluded.changes;
                if one.charge_changes >= most then
                  delete from %1$I.charge c where c.tenant_id = one.tenant_id
                    and c.month = this_month and c.version = one.charge_version;
                end if;
              end if;
              if one.tat is not null then
                insert into %1$I.rate as r (tenant_id, holder, version, tat, changes)
                  values (one.tenant_id, one.tenant_id,
                    coalesce(one.rate_version + (one.rate_changes >= most)::integer, 0), one.tat,
                    case when one.rate_changes < most then one.rate_changes + 1 else 0 end)
                  on conflict (tenant_id, holder, version)
                    do update set tat = excluded.tat, changes = excluded.changes;
                if one.rate_changes >= most then
                  delete from %1$I.rate r where r.tenant_id = one.tenant_id
                    and r.holder = one.tenant_id and r.version = one.rate_version;
                end if;
              end if;
              if one.requests_per_second is null and one.units_per_month is null then
                return ('{"at":"' || this_moment || '"}')::json;
              end if;
              return json_build_object('at', this_moment::text, 'tenant_limits', json_build_array(
                json_build_array(one.tenant_id, one.requests_per_second, one.burst, one.room,
                  one.units_per_month, greatest(0, one.units_left))));
            end if;
          end;
        elsif plain then$block$, s, s));
  end loop;
end
$migration$;
