-- Until the end of the transaction nobody else writes to the lane (server/management/manage_log.cc).
select lock_lane($1::smallint)
