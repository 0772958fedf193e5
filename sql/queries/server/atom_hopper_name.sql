-- Which database this is, by name and number in its cluster, and in what encoding; the source of an import
-- (server/commands/atom_hopper_source.cc).
select d.datname || '/' || d.oid, pg_encoding_to_char(d.encoding) from pg_database d where d.datname = current_database()
