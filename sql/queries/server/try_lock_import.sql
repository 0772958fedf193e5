-- The same lock where it is free; false: another import has it (server/commands/import_command.cc).
select pg_try_advisory_lock(1131377011)
