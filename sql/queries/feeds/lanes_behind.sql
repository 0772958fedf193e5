-- The lanes whose journal goes on after the sequence that was read; the follower, with each heartbeat
-- (feeds/follower.cc).
select k.lane from unnest($1::smallint[], $2::bigint[]) as k (lane, sequence)
where exists (select 1 from journal j where j.lane = k.lane and j.sequence > k.sequence)
