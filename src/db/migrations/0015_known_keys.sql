-- Which of strangers' keys there are at all: asked before admission while they come in floods. Safe
-- online: new functions.

do $migration$
declare
  schema text;
begin
  foreach schema in array array['live', 'sandbox'] loop
    execute format($ddl$
      -- Positions, from 1, of those that somebody has; it says nothing about whether they are good.
      create function %1$I.known_keys(index8s text[], digests text[]) returns setof bigint
      language sql stable security definer set search_path = pg_catalog, pg_temp
      begin atomic
        select n.no from unnest(index8s, digests) with ordinality as n(index8, digest, no)
          join %1$I.api_key k on k.index8 = n.index8 and k.digest = decode(n.digest, 'hex');
      end;
      alter function %1$I.known_keys owner to zt_service;
      revoke all on function %1$I.known_keys from public;
      grant execute on function %1$I.known_keys to zt_runtime;
    $ddl$, schema);
  end loop;
end
$migration$;
