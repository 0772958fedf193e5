-- The generation of the log (feeds/lifecycle.cc).
select generation from log_facts
