-- Takes away the ids of some entries behind a feed's floor, so that they can be dropped (archive/janitor.cc).
select forget_ids($1::smallint, $2::bigint, $3::bigint, $4::bigint)
