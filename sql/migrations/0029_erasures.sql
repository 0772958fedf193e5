-- What was erased whose bytes still lie in dead rows, until they have been vacuumed (archive/janitor.cc).
create table erasures (number bigint generated always as identity primary key, at timestamptz not null);
