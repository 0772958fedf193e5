-- How far was looked for subscriptions that have caught up: they share a watch over their feed, whose position counts for
-- all of them, so that what does not concern them touches none of their rows.
create table hub_watches (
  shard smallint not null,
  lane smallint not null,
  feed bigint not null,
  watch bigint not null,                -- a number that no other watch ever had
  position bigint not null,             -- what stands up to here was looked at for those who share it
  primary key (shard, lane, feed)
);
alter table hub_watches set (fillfactor = 80);  -- positions move often, and touch no index
alter table subscriptions
  add column watch bigint;  -- shares the watch of that number: its cursor is the watch's position, where that is further
