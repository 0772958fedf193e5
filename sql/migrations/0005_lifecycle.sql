-- What a feed lives through beside publishing: retention, redaction, deletion; and generations of the whole log.
-- The functions that do it stand in sql/functions/.

-- Kind 4: redacted. The position, its leaf and its chain stay; xml, salt and terms have been erased.
alter table entries alter column xml drop not null, alter column salt drop not null;

-- History is dropped at the old end, and what is refilled takes its place: giving pages back to the system would need a
-- lock that stops everybody.
alter table entries set (vacuum_truncate = off);
alter table entry_terms set (vacuum_truncate = off);
alter table entry_ids set (vacuum_truncate = off);
alter table archive_pages set (vacuum_truncate = off);

drop function create_feed(smallint, text, text, text, integer, jsonb, timestamptz, timestamptz);
