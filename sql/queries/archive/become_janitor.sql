-- Whether this connection's process is now the one that cleans up, until the connection ends (archive/janitor.cc). Its
-- vacuums are gentle, and what it writes goes to the disk in small portions: else publishers' commits wait behind it there.
select pg_try_advisory_lock(1131377010, -2) and set_config('vacuum_cost_delay', '4', false) is not null
       and set_config('backend_flush_after', '256kB', false) is not null
       and set_config('statement_timeout', '0', false) is not null
