-- Grows whenever a token was made or revoked (server/admission/token_store.cc).
select revision from access_facts
