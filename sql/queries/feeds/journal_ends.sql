-- The last sequence of each lane's journal; the follower (feeds/follower.cc).
select lane, max(sequence) from journal group by lane
