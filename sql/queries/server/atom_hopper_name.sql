-- Which database this is; the source of an import (server/atom_hopper_source.cc).
select d.datname || '/' || d.oid from pg_database d where d.datname = current_database()
