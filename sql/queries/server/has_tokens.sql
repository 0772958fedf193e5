-- Whether a token has ever been made (server/token_store.cc).
select exists (select from access_tokens)
