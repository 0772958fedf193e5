-- Whether this connection's process is now the one that publishes notices, until the connection ends (feeds/chronicler.cc).
select pg_try_advisory_lock(1131377010, -3)
