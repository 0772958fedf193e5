-- One group commit of a lane; the writer (feeds/writer.cc).
select outcome, item_position, item_recorded, item_published, item_updated, item_salt, item_leaf, item_chain
from publish($1::smallint, $2::uuid, $3::timestamptz, $4::boolean, $5::bigint[], $6::text[], $7::uuid[], $8::bigint[],
             $9::bytea[], $10::bytea[], $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[],
             $16::text[], $17::boolean[], $18::text[], $19::bigint[], $20::boolean[], $21::bigint[], $22::bigint[],
             $23::bigint[], $24::timestamptz[], $25::uuid[], $26::timestamptz[],
             $27::timestamptz[])
