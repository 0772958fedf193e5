-- One import at a time works on a database; held by the session (server/commands/import_command.cc).
select pg_advisory_lock(1131377011)
