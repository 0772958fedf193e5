-- Drops entries behind a feed's floor whose ids are gone (archive/janitor.cc).
select drop_rows($1::smallint, $2::bigint, $3::bigint, $4::bigint)
