-- All tokens, newest last (server/commands/token_command.cc).
select token, name, scopes, feeds, filter, created, expires, revoked from access_tokens order by token
