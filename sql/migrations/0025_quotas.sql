-- How many bytes there are, of workspaces that have a quota (feeds/quotas.h).
create table feed_bytes (
  lane smallint not null,
  feed bigint not null,
  counted_to bigint not null default 0,  -- entries up to this position have been counted ...
  bytes bigint not null default 0,       -- ... and those of them that are still there have so many bytes
  primary key (lane, feed)
);

create table workspace_bytes (
  workspace text primary key,
  bytes bigint not null,                 -- of entries and media, as of the last count
  counted timestamptz not null
);
