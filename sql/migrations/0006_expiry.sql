-- An entry may say until when it is news: pushes and waiting readers skip it afterwards, the log keeps it.
alter table entries add column expires timestamptz;
drop function publish(smallint, uuid, timestamptz, boolean, bigint[], text[], uuid[], bytea[], bytea[], text[], text[], text[], text[],
                      timestamptz[], text[], boolean[], bigint[], text[], bigint[], boolean[], bigint[], bigint[],
                      bigint[]);
