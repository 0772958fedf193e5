-- Gives a feed other settings (feeds/stored_settings.cc).
select change_feed($1::smallint, $2::bigint, $3::jsonb, $4::timestamptz)
