-- Counts the bytes of the entries that a feed has got since it was counted last, of p_most of them (feeds/quotas.h). Gives
-- whether there may be more. Positions are committed in their order, so none is passed over. Whoever drops or erases entries
-- that were counted takes them off, and waits for the feed's row here, or lets this wait.
create or replace function count_bytes(p_lane smallint, p_feed bigint, p_most bigint) returns boolean
language plpgsql volatile
set enable_seqscan = off
as $$
declare
  v_counted_to bigint;
  v_found record;
begin
  insert into feed_bytes (lane, feed) values (p_lane, p_feed) on conflict do nothing;
  select b.counted_to into v_counted_to from feed_bytes b where b.lane = p_lane and b.feed = p_feed for update;
  select count(*) as entries, max(few.position) as upto, sum(few.size) as bytes into v_found
  from (select e.position, e.size from entries e
        where e.lane = p_lane and e.feed = p_feed and e.position > v_counted_to
        order by e.position limit p_most) few;
  if v_found.entries = 0 then
    return false;
  end if;
  update feed_bytes b set counted_to = v_found.upto, bytes = b.bytes + v_found.bytes
  where b.lane = p_lane and b.feed = p_feed;
  return v_found.entries = p_most;
end $$;

-- Takes off what was counted of some entries that are about to be dropped or erased. Until the transaction ends nothing of
-- the feed is counted.
create or replace function uncount_bytes(p_lane smallint, p_feed bigint, p_after bigint, p_upto bigint,
                                         p_positions bigint[] default null) returns void
language sql volatile as $$
  update feed_bytes b
  set bytes = b.bytes - coalesce((select sum(e.size) from entries e
                                  where e.lane = p_lane and e.feed = p_feed and e.position > p_after
                                        and e.position <= least(p_upto, b.counted_to)
                                        and (p_positions is null or e.position = any (p_positions))), 0)
  where b.lane = p_lane and b.feed = p_feed
$$;
