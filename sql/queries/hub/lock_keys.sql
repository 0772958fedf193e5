-- Of all who change with which key secrets are sealed, one works (hub/resealing.cc).
select pg_try_advisory_lock(1131377012)
