-- Whether this connection's process is now the one that counts bytes, until the connection ends (feeds/quotas.cc).
select pg_try_advisory_lock(1131377010, -4)
