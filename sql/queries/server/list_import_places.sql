-- How far imports from a source have come (server/commands/import_command.cc).
select source_feed, feed_created, last_updated, last_id, checksum, imported, present, refused
from import_places where source = $1::text
