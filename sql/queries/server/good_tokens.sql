-- The tokens that are good at an instant or may be again by another clock: not revoked, and not expired for more than an
-- hour (server/admission/token_store.cc).
select token, name, hash, scopes, feeds, filter, expires from access_tokens
where revoked is null and (expires is null or expires > $1::timestamptz - interval '1 hour')
