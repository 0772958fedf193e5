-- How many lanes this log has; at the start (feeds/directory.cc).
select lanes from log_facts
