-- What the keys of TLS session tickets follow from, together with the installation's own key (server/ticket_seeds.h). In no
-- write-ahead log, so in none of its archives: a seed that is deleted is to be gone. After a crash there are others, and
-- clients shake hands in full.
create unlogged table ticket_seeds (
  epoch bigint primary key,             -- http::ticket_epoch()
  seed bytea not null
);
