-- Tells all servers something (feeds/follower.cc). A hint may be lost: its commit need not wait for the disk.
select set_config('synchronous_commit', 'off', true), pg_notify($1::text, $2::text)
