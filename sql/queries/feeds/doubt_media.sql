-- An upload that came to nothing is removed soon (feeds/media_store.cc).
insert into media_doubts (due, feed, lane, media) values ('-infinity', $2::bigint, $1::smallint, $3::uuid)
