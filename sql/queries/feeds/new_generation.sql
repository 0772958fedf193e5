-- Begins a new generation of the log (feeds/lifecycle.cc).
select new_generation($1::bigint, $2::timestamptz)
