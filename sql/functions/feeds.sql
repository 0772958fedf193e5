-- A row of the journal that says: what is known of the feed besides its head has changed, read it again. Feed 0: of every
-- feed. The caller holds the lane's lock.
create or replace function note_changed(p_lane smallint, p_feed bigint, p_moved_to bigint, p_now timestamptz)
returns void language sql volatile as $$
  insert into journal (lane, sequence, recorded, call, feeds, firsts, lasts, item_positions)
  select p_lane, coalesce((select max(j.sequence) from journal j where j.lane = p_lane), 0) + 1, p_now,
         gen_random_uuid(), array[p_feed, p_feed], array[p_moved_to, 0], array[p_moved_to, 0], '{}'
$$;

-- Makes a feed, or finds the one of that name. A deleted feed of that name comes back, as created now, and goes on
-- counting. Null: the workspace has p_quota feeds already (0: it may have any number). 0: there is no such workspace.
-- p_quota null: neither is asked.
-- The workspace's row is locked before the lane, always in this order: so a quota holds exactly, and nothing is made in a
-- workspace that is deleted meanwhile.
create or replace function create_feed(p_lane smallint, p_workspace text, p_name text, p_uri text, p_page_size integer,
                                       p_settings jsonb, p_source_time timestamptz, p_now timestamptz, p_quota bigint)
returns bigint language plpgsql volatile as $$
declare
  v_feed bigint;
begin
  select feed into v_feed from feeds
  where lane = p_lane and workspace = p_workspace and name = p_name and deleted is null;
  if found then
    return v_feed;
  end if;
  if p_quota is not null then
    perform 1 from workspaces where name = p_workspace for update;
    if not found then
      return 0;
    end if;
  end if;
  perform lock_lane(p_lane);
  select feed into v_feed from feeds
  where lane = p_lane and workspace = p_workspace and name = p_name and deleted is null;
  if found then
    return v_feed;
  end if;
  if p_quota > 0 and (select count(*) from feeds where workspace = p_workspace and deleted is null) >= p_quota then
    return null;
  end if;
  update feeds set deleted = null, settings = p_settings, source_time = p_source_time, revision = revision + 1,
                   created = p_now, modified = clock_timestamp()
  where lane = p_lane and workspace = p_workspace and name = p_name
  returning feed into v_feed;
  if found then
    return v_feed;
  end if;
  select coalesce(max(feed), 0) + 1 into v_feed from feeds where lane = p_lane;
  insert into feeds (lane, feed, workspace, name, uri, page_size, settings, revision, source_time, created,
                     floor_recorded)
  values (p_lane, v_feed, p_workspace, p_name, p_uri, p_page_size, p_settings, 1, p_source_time, p_now, p_now);
  return v_feed;
end $$;

-- Deletes a feed: from now on nobody finds it, and its floor is its head, so that its entries are dropped like history.
-- p_idle_since: only where nothing was stored since then; null: in any case. Null: there is no such feed, or it is not
-- idle.
create or replace function delete_feed(p_lane smallint, p_workspace text, p_name text, p_idle_since timestamptz,
                                       p_now timestamptz)
returns bigint language plpgsql volatile as $$
declare
  v_feed bigint;
  v_head record;
begin
  perform lock_lane(p_lane);
  select feed into v_feed from feeds
  where lane = p_lane and workspace = p_workspace and name = p_name and deleted is null;
  if not found then
    return null;
  end if;
  select e.position, e.recorded, e.chain into v_head
  from entries e where e.lane = p_lane and e.feed = v_feed order by e.position desc limit 1;
  update feeds f
  set deleted = p_now, revision = f.revision + 1,
      floor_position = greatest(f.floor_position, coalesce(v_head.position, 0)),
      floor_recorded = case when v_head.position > f.floor_position then v_head.recorded else f.floor_recorded end,
      floor_chain = case when v_head.position > f.floor_position then v_head.chain else f.floor_chain end
  where f.lane = p_lane and f.feed = v_feed
        and (p_idle_since is null or greatest(f.created, f.floor_recorded, v_head.recorded) < p_idle_since);
  if not found then
    return null;
  end if;
  perform note_changed(p_lane, v_feed, 0, p_now);
  return v_feed;
end $$;

-- Deletes a workspace without feeds. Null: there is none; else up to ten of the feeds that it stays for.
create or replace function delete_workspace(p_name text, p_now timestamptz) returns text[] language plpgsql volatile as $$
declare
  v_feeds text[];
begin
  perform 1 from workspaces where name = p_name for update;  -- who makes a feed in it has done so, or finds it gone
  if not found then
    return null;
  end if;
  select coalesce(array_agg(few.name order by few.name), '{}') into v_feeds
  from (select f.name from feeds f where f.workspace = p_name and f.deleted is null order by f.name limit 10) few;
  if cardinality(v_feeds) > 0 then
    return v_feeds;
  end if;
  delete from workspaces where name = p_name;
  delete from workspace_bytes where workspace = p_name;
  perform lock_lane(0::smallint);
  perform note_changed(0::smallint, 0, 0, p_now);
  return v_feeds;
end $$;

-- A new generation: positions that readers hold may have been lost (a restore, a failover). p_known: the generation that
-- the caller knows; where it is over already nothing happens. Stored archive pages go, since their names have changed,
-- and subscriptions and watches that are ahead of their feed's head go back to it. Gives the generation that is now.
-- The lane's lock before the pages, in the order of redact().
create or replace function new_generation(p_known bigint, p_now timestamptz) returns bigint
language plpgsql volatile as $$
declare
  v_generation bigint;
begin
  if (select generation from log_facts) <> p_known then
    return (select generation from log_facts);
  end if;
  perform lock_lane(0::smallint);
  truncate archive_pages;  -- before the row below is locked: insert_page takes both in this order
  update log_facts set generation = generation + 1, modified = clock_timestamp()
  where generation = p_known returning generation into v_generation;
  if not found then
    return (select generation from log_facts);
  end if;
  -- Whoever has cursors in memory reads them again. First, so that what is being saved is there to be set back.
  update hub_shards set owner = '', epoch = epoch + 1;
  with heads as (
    select f.lane, f.feed, coalesce((select e.position from entries e where e.lane = f.lane and e.feed = f.feed
                                     order by e.position desc limit 1), f.floor_position) as head
    from feeds f),
  watched as (
    update hub_watches w set position = h.head
    from heads h where h.lane = w.lane and h.feed = w.feed and w.position > h.head)
  update subscriptions s set cursor = h.head, frozen = null
  from heads h where h.lane = s.lane and h.feed = s.feed and s.cursor > h.head;
  perform note_changed(0::smallint, 0, 0, p_now);
  return v_generation;
end $$;

-- Makes a workspace or gives it other settings, by an act and not by a server's file: the act counts as of now, and an
-- older file does not undo it. The journal says so to all servers, see note_changed.
create or replace function change_workspace(p_name text, p_settings jsonb, p_now timestamptz)
returns void language plpgsql volatile as $$
begin
  insert into workspaces as w (name, settings, revision, source_time)
  values (p_name, p_settings, 1, p_now)
  on conflict (name) do update
    set settings = excluded.settings, revision = w.revision + 1,
        source_time = greatest(w.source_time, excluded.source_time);
  perform lock_lane(0::smallint);
  perform note_changed(0::smallint, 0, 0, p_now);
end $$;

-- The same of a feed that exists; also to tell servers of one that was made just now.
create or replace function change_feed(p_lane smallint, p_feed bigint, p_settings jsonb, p_now timestamptz)
returns void language plpgsql volatile as $$
begin
  perform lock_lane(p_lane);
  update feeds f
  set settings = p_settings, source_time = greatest(f.source_time, p_now),
      revision = f.revision + (f.settings is distinct from p_settings)::integer,
      modified = case when f.settings is distinct from p_settings then clock_timestamp() else f.modified end
  where f.lane = p_lane and f.feed = p_feed;
  perform note_changed(p_lane, p_feed, 0, p_now);
end $$;
