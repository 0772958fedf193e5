-- What Last-Modified is told by, beside the entries themselves (feeds/last_modified.h), by the database's clock. Of what
-- was there before nothing is known: it counts as changed now.
alter table feeds add column modified timestamptz not null default now();  -- settings, floor, redactions; imports
alter table log_facts
  add column modified timestamptz not null default now(),                  -- the generation, or the renderer
  add column renderer integer not null default 0;                          -- the version that was started last
