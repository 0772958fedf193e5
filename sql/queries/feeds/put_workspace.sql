-- Makes a workspace or brings it up to date. First: what is stored differs and is newer, and stays; second: it was
-- changed (feeds/configure.cc).
with known as (
  select settings from workspaces where name = $1::text),
put as (
  insert into workspaces as w (name, settings, revision, source_time)
  values ($1::text, $2::jsonb, 1, $3::timestamptz)
  on conflict (name) do update
    set settings = excluded.settings, source_time = excluded.source_time,
        revision = w.revision + (w.settings is distinct from excluded.settings)::integer
    where w.source_time <= excluded.source_time
  returning name)
select not exists (select from put)
       and exists (select from workspaces where name = $1::text and settings is distinct from $2::jsonb),
       exists (select from put) and not exists (select from known where settings = $2::jsonb)
