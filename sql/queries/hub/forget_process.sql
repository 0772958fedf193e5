-- This process shares no longer (hub/shards.cc).
delete from hub_processes where process = $1::text
