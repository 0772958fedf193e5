-- What publish() decides about an item of its call. kind: as in entries; 0: nothing is stored.
create type publish_item as (item integer, outcome smallint, position bigint, kind smallint, recorded timestamptz,
                             published timestamptz, updated timestamptz, salt bytea, leaf bytea, chain bytea, xml text);
