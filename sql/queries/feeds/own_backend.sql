-- Which PostgreSQL process serves this connection, so that it can be ended should the connection die; the writer.
select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()
