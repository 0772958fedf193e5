-- Says to all servers that more of a feed has changed than its head; feed 0: that settings of workspaces have
-- (feeds/configure.cc).
select lock_lane($1::smallint), note_changed($1::smallint, $2::bigint, 0, $3::timestamptz)
