-- The same of entries that seem to be new, all of one feed.
select item_position, item_recorded, item_leaf, item_chain
from publish_new($1::smallint, $2::uuid, $3::timestamptz, $4::bigint, $5::text[], $6::uuid[], $7::bytea[], $8::bytea[],
                 string_to_array($9::text, chr(31)), string_to_array($10::text, chr(31)),
                 string_to_array($11::text, chr(31), ''), string_to_array($12::text, chr(31), ''), $13::timestamptz[],
                 $14::text[], $15::boolean[], $16::text[], $17::timestamptz[], $18::text[])
