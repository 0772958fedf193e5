-- What the doctor looks at of a database (server/commands/doctor_database.cc).
select current_setting('server_version_num')::bigint, current_setting('fsync'), current_setting('synchronous_commit'),
       current_setting('full_page_writes'), current_setting('max_connections')::bigint,
       current_setting('superuser_reserved_connections')::bigint, pg_size_bytes(current_setting('shared_buffers')),
       current_setting('data_checksums'), current_setting('server_encoding'), clock_timestamp()
