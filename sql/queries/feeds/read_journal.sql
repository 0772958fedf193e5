-- What moved on a lane after a sequence; the follower (feeds/follower.cc).
select sequence, feeds, firsts, lasts from journal
where lane = $1::smallint and sequence > $2::bigint order by sequence limit 1000
