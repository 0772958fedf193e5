-- Which cluster this is, wherever it is reached (server/commands/atom_hopper_source.cc). Before 9.6, or not for everyone, there is
-- no such function.
select system_identifier::text from pg_control_system()
