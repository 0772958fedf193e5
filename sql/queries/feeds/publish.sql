-- One group commit of a lane; the writer (feeds/writer.cc). XML comes joined, an empty canonical piece is none.
select outcome, item_position, item_recorded, item_published, item_updated, item_salt, item_leaf, item_chain
from publish_items($1::smallint, $2::uuid, $3::timestamptz, $4::boolean, $5::bigint[], $6::text[], $7::uuid[],
             $8::bigint[], $9::bytea[], $10::bytea[], string_to_array($11::text, chr(31)), string_to_array($12::text, chr(31)),
             string_to_array($13::text, chr(31), ''), string_to_array($14::text, chr(31), ''), $15::timestamptz[],
             $16::text[], $17::boolean[], $18::text[], $19::bigint[], $20::boolean[], $21::bigint[], $22::bigint[],
             $23::bigint[], $24::timestamptz[], $25::uuid[], $26::timestamptz[],
             $27::timestamptz[], $28::text[])
