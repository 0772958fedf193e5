-- Ends a token; no row where none of that name is good (server/admission/token_store.cc).
update access_tokens set revoked = $2::timestamptz where name = $1::text and revoked is null
returning token
