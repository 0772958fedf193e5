-- The last position recorded before an instant, at least the floor: positions are dense and `recorded` never goes back
-- along them, so a search by halves finds it in some 20 looks, however long the feed is.
create or replace function position_at(p_lane smallint, p_feed bigint, p_instant timestamptz) returns bigint
language plpgsql stable as $$
declare
  v_low bigint;   -- recorded before, or the floor
  v_high bigint;  -- recorded then or later, or beyond the head
  v_middle bigint;
  v_recorded timestamptz;
begin
  select f.floor_position, coalesce(t.position, f.floor_position) + 1 into v_low, v_high
  from feeds f
  left join lateral (select e.position from entries e where e.lane = p_lane and e.feed = p_feed
                     order by e.position desc limit 1) t on true
  where f.lane = p_lane and f.feed = p_feed;
  while v_high - v_low > 1 loop
    v_middle := (v_low + v_high) / 2;
    select recorded into v_recorded from entries where lane = p_lane and feed = p_feed and position = v_middle;
    if v_recorded < p_instant then
      v_low := v_middle;
    else
      v_high := v_middle;
    end if;
  end loop;
  return v_low;
end $$;

-- Raises a feed's floor to the end of its last archive page that lies wholly at or before p_upto: from the commit on nothing
-- before it is shown, whether its rows are there or not. Gives the floor.
create or replace function raise_floor(p_lane smallint, p_feed bigint, p_upto bigint, p_now timestamptz) returns bigint
language plpgsql volatile as $$
declare
  v_floor bigint;
begin
  perform lock_lane(p_lane);
  update feeds f
  set floor_position = e.position, floor_recorded = e.recorded, floor_chain = e.chain, modified = clock_timestamp()
  from entries e
  where f.lane = p_lane and f.feed = p_feed and f.deleted is null and e.lane = p_lane and e.feed = p_feed
        and e.position = p_upto - p_upto % f.page_size and e.position > f.floor_position
  returning f.floor_position into v_floor;
  if found then
    perform note_changed(p_lane, p_feed, 0, p_now);
    return v_floor;
  end if;
  return (select floor_position from feeds where lane = p_lane and feed = p_feed);
end $$;

-- Dropping a feed's history goes in pieces of two calls, each a transaction of its own. Losing a commit of either in a crash
-- loses nothing: both are done again. Rows are looked up with a limit and deleted by their place: else the tables may be
-- planned to be read through (docs/decisions/0003).

-- First: takes away the ids of up to p_most of the oldest entries after p_after that the feed's floor has passed. Gives up to
-- which position; null: there is nothing behind the floor. Under the lane's lock, since publishing looks ids up; all of it has
-- been read before, when nobody waited.
create or replace function forget_ids(p_lane smallint, p_feed bigint, p_after bigint, p_most bigint) returns bigint
language plpgsql volatile
set enable_seqscan = off
as $$
declare
  v_floor constant bigint := (select floor_position from feeds where lane = p_lane and feed = p_feed);
  v_first constant bigint := (select position from entries where lane = p_lane and feed = p_feed and position > p_after
                              order by position limit 1);
  v_upto constant bigint := least(v_first + p_most - 1, v_floor);
  v_hashes uuid[];
begin
  if v_first is null or v_first > v_floor then
    return null;
  end if;
  perform set_config('synchronous_commit', 'off', true);
  v_hashes := array(select encode(substr(sha256(convert_to(e.id, 'UTF8')), 1, 16), 'hex')::uuid
                    from entries e
                    where e.lane = p_lane and e.feed = p_feed and e.position >= v_first and e.position <= v_upto);
  perform i.newest_position
  from unnest(v_hashes) as g (hash)
  cross join lateral (select newest_position from entry_ids
                      where lane = p_lane and feed = p_feed and id_hash = g.hash limit 1) i;
  perform lock_lane(p_lane);
  delete from entry_ids where ctid = any (array(
    select found.ctid
    from unnest(v_hashes) as g (hash)
    cross join lateral (select i.ctid from entry_ids i
                        where i.lane = p_lane and i.feed = p_feed and i.newest_position <= v_floor and i.id_hash = g.hash
                        limit 1) found));
  return v_upto;
end $$;

-- Second: drops the entries after p_after up to p_upto, with what finds them. Nobody reads or writes them any more but
-- redact(): one at a time of the two has a feed's old rows. Publishing does not wait.
create or replace function drop_rows(p_lane smallint, p_feed bigint, p_after bigint, p_upto bigint) returns void
language plpgsql volatile
set enable_seqscan = off
as $$
declare
  v_page_size constant bigint := (select page_size from feeds where lane = p_lane and feed = p_feed);
begin
  perform set_config('synchronous_commit', 'off', true);
  perform lock_old_rows(p_feed);
  delete from entry_terms where ctid = any (array(
    select found.ctid
    from entries e cross join lateral unnest(e.terms) as x (term)
    cross join lateral (select t.ctid from entry_terms t
                        where t.lane = p_lane and t.feed = p_feed and t.term = x.term collate "C"
                              and t.position = e.position
                        limit 1) found
    where e.lane = p_lane and e.feed = p_feed and e.position > p_after and e.position <= p_upto));
  perform uncount_bytes(p_lane, p_feed, p_after, p_upto);
  with gone as (
    delete from entries where lane = p_lane and feed = p_feed and position > p_after and position <= p_upto
    returning media)
  insert into media_doubts (due, feed, lane, media)
  select distinct '-infinity'::timestamptz, p_feed, p_lane, g.media from gone g where g.media is not null;
  delete from archive_pages
  where lane = p_lane and feed = p_feed and page > p_after / v_page_size and page <= p_upto / v_page_size;
end $$;
