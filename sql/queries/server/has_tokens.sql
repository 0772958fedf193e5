-- Whether a token has ever been made (server/admission/token_store.cc).
select exists (select from access_tokens)
