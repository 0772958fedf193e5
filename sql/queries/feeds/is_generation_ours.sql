-- Whether the transaction that asks has begun the present generation (feeds/lifecycle.cc): several may have tried.
select xmin = pg_current_xact_id()::xid from log_facts
