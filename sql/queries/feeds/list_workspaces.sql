-- All workspaces; at the start (feeds/configure.cc).
select name, settings from workspaces order by name
