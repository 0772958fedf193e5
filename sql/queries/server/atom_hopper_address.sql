-- Where a cluster is reached, for one that does not say which it is (server/commands/atom_hopper_source.cc).
select coalesce(host(inet_server_addr()), 'socket') || ':' || current_setting('port')
