-- A rate was forgotten where the first batch of a slice was refused: its old row went, and no new one came.
-- And what lasts an hour lasts 90 minutes: outcomes that are taken, batches that can be taken back. Where
-- the server's clock jumps an hour ahead, what is under way is not late. An hour is closed three hours after
-- its end (0011), so even where the clock goes back an hour, nothing comes to a closed one.
-- Safe online: the same functions, with the same owners and rights.

do $migration$
declare
  change record;
  definition text;
begin
  for change in
    select format('%I.%I', s.name, c.of)::regproc as function, c.before, c.after
      from (values ('live'), ('sandbox')) as s(name), (values
        ('admit_batch', 'as h(holder, slice, debt, step)', 'as h(holder, slice, last, debt, step)'),
        ('admit_batch', '(k.key_id, k.key_slice, k.key_debt,', '(k.key_id, k.key_slice, k.key_last, k.key_debt,'),
        ('admit_batch', '(k.tenant_id, k.tenant_slice, k.tenant_debt,',
          '(k.tenant_id, k.tenant_slice, k.tenant_last, k.tenant_debt,'),
        ('admit_batch', 'h.step is not null and key_used[k.no] > 0 group by',
          'h.step is not null and (key_used[k.no] > 0 or h.last < h.slice) group by'),
        ('settle', '''1 hour''', '''90 minutes'''),
        ('void_batch', '''1 hour''', '''90 minutes'''),
        ('retain', 'where at < clock_timestamp() - interval ''1 hour''',
          'where at < clock_timestamp() - interval ''90 minutes''')
      ) as c(of, before, after)
  loop
    definition := pg_get_functiondef(change.function);
    if position(change.before in definition) = 0 then
      raise exception '% is not as 0010 and 0011 made it', change.function;
    end if;
    execute replace(definition, change.before, change.after);
  end loop;
end
$migration$;
