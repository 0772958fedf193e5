-- Makes a feed or finds the one of that name; null: its workspace has $9 feeds already; 0: there is no such workspace; the
-- directory (feeds/directory.cc).
select create_feed($1::smallint, $2::text, $3::text, $4::text, $5::integer, $6::jsonb, $7::timestamptz,
                   $8::timestamptz, $9::bigint)
