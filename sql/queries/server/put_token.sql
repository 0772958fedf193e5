-- A new token; no row where one of its name is good still (server/admission/token_store.cc).
insert into access_tokens (name, hash, scopes, feeds, filter, created, expires)
values ($1::text, $2::bytea, $3::text, $4::text, $5::text, $6::timestamptz, $7::timestamptz)
on conflict (name) where revoked is null do nothing
returning token
