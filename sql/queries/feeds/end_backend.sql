-- Ends the process behind a dead connection, if it is still that one; rows while it lives; the writer.
select pg_terminate_backend(pid) from pg_stat_activity where pid = $1::bigint and backend_start = $2::timestamptz
