-- What a feed is called, by its number: of feeds that other processes have made (feeds/follower.cc).
select workspace, name from feeds where lane = $1::smallint and feed = $2::bigint and deleted is null
