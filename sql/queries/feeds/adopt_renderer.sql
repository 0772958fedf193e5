-- The program that starts renders entries to other bytes than the one before, perhaps (feeds/lifecycle.cc).
update log_facts set renderer = $1::integer, modified = clock_timestamp() where renderer <> $1::integer
