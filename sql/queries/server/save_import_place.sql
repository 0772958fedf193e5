-- How far the import of a feed has come, in the transaction that stores its entries (server/commands/import_command.cc).
insert into import_places (source, source_feed, feed_created, last_updated, last_id, checksum, imported, present, refused)
values ($1::text, $2::text, $3::timestamptz, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::bigint)
on conflict (source, source_feed) do update
  set feed_created = excluded.feed_created, last_updated = excluded.last_updated, last_id = excluded.last_id,
      checksum = excluded.checksum, imported = excluded.imported, present = excluded.present, refused = excluded.refused
