-- The first who comes makes the seed of an epoch, for all (server/ticket_seeds.cc).
insert into ticket_seeds (epoch, seed) values ($1::bigint, $2::bytea) on conflict do nothing
