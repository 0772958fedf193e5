-- Deletes a feed; null: there is none, or it is not idle (feeds/lifecycle.cc).
select delete_feed($1::smallint, $2::text, $3::text, $4::timestamptz, $5::timestamptz)
