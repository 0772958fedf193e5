-- Until the transaction ends: of redact() and drop_rows() one alone has a feed's rows behind the head.
create or replace function lock_old_rows(p_feed bigint) returns void language sql volatile
as 'select pg_advisory_xact_lock(-p_feed)';  -- other locks have positive keys

-- Redacts an entry: erases bytes, type, salt, terms, trace and media of all its revisions, whose leaf and chain stay, drops the
-- stored archive pages that show them, and appends a tombstone that says which positions were erased.
-- The tombstone's canonical XML is p_before || its time || p_middle || the positions || p_after.
-- outcome: 1 done, at the position of the record; 2 there is nothing under the id; 3 it has been redacted before, at the
-- position of its newest record.
create or replace function redact(p_lane smallint, p_feed bigint, p_id text, p_salt bytea, p_before text, p_middle text,
                                  p_after text, p_now timestamptz)
returns table (outcome smallint, record bigint, erased bigint[]) language plpgsql volatile as $$
declare
  v_hash constant uuid := encode(substr(sha256(convert_to(p_id, 'UTF8')), 1, 16), 'hex')::uuid;
  v_floor bigint;
  v_page_size bigint;
  v_seen bigint;
  v_positions bigint[];
  v_newest bigint;
  v_head record;
  v_recorded timestamptz;
  v_published timestamptz;
  v_xml text;
  v_leaf bytea;
begin
  -- Looking for revisions reads much of the feed: most of it before the lock, where nobody waits.
  select coalesce(max(e.position), 0) into v_seen from entries e where e.lane = p_lane and e.feed = p_feed;
  v_positions := array(select e.position from entries e where e.lane = p_lane and e.feed = p_feed
                                                              and e.position <= v_seen and e.id = p_id);
  perform lock_old_rows(p_feed);  -- before the lane's: who drops them holds no lane's while he waits
  perform lock_lane(p_lane);
  select f.floor_position, f.page_size into v_floor, v_page_size
  from feeds f where f.lane = p_lane and f.feed = p_feed and f.deleted is null;
  select i.newest_position into v_newest
  from entry_ids i where i.lane = p_lane and i.feed = p_feed and i.id_hash = v_hash and i.newest_position > v_floor;
  if v_newest is null then
    return query select 2::smallint, 0::bigint, '{}'::bigint[];
    return;
  end if;
  v_positions := array(
    select e.position from entries e
    where e.lane = p_lane and e.feed = p_feed and e.kind in (1, 2)
          and (e.position = any (v_positions) or e.position > v_seen and e.id = p_id)
    order by e.position);
  if cardinality(v_positions) = 0 then
    return query select 3::smallint, v_newest, '{}'::bigint[];
    return;
  end if;

  with old as (select e.position, e.terms from entries e
               where e.lane = p_lane and e.feed = p_feed and e.position = any (v_positions))
  delete from entry_terms t using (select o.position, x.term from old o, unnest(o.terms) as x (term)) g
  where t.lane = p_lane and t.feed = p_feed and t.term = g.term collate "C" and t.position = g.position;
  delete from media_pieces m
  using (select e.media from entries e
         where e.lane = p_lane and e.feed = p_feed and e.position = any (v_positions)) o
  where m.lane = p_lane and m.feed = p_feed and m.media = o.media;
  perform uncount_bytes(p_lane, p_feed, v_positions[1] - 1, v_positions[cardinality(v_positions)], v_positions);
  update entries e set kind = 4, xml = null, salt = null, terms = '{}', size = 0, media = null, content_type = '',
                       trace = null
  where e.lane = p_lane and e.feed = p_feed and e.position = any (v_positions);

  select e.position, e.recorded, e.chain into v_head
  from entries e where e.lane = p_lane and e.feed = p_feed order by e.position desc limit 1;
  select e.published into v_published
  from entries e where e.lane = p_lane and e.feed = p_feed and e.position = v_positions[1];
  v_recorded := greatest(p_now, v_head.recorded);
  v_xml := p_before || atom_time(v_recorded) || p_middle || array_to_string(v_positions, ' ') || p_after;
  v_leaf := sha256(p_salt || convert_to(v_xml, 'UTF8'));
  insert into entries (lane, feed, position, kind, id, recorded, published, updated, content_type, needs_alternate,
                       size, terms, salt, leaf, chain, xml)
  values (p_lane, p_feed, v_head.position + 1, 3, p_id, v_recorded, v_published, v_recorded, '', false,
          octet_length(v_xml), '{}', p_salt, v_leaf, sha256(v_head.chain || v_leaf), v_xml);
  update entry_ids i set newest_position = v_head.position + 1, digest = '', newest_digest = null, deleted = true
  where i.lane = p_lane and i.feed = p_feed and i.id_hash = v_hash;

  -- The row of the feed before its pages: who stores a page holds this row, so none is stored with what is erased here.
  update feeds f set redactions = f.redactions + 1, modified = clock_timestamp()
  where f.lane = p_lane and f.feed = p_feed;
  delete from archive_pages a
  where a.lane = p_lane and a.feed = p_feed
        and a.page = any (array(select (u.position - 1) / v_page_size + 1 from unnest(v_positions) as u (position)));
  perform note_changed(p_lane, p_feed, v_head.position + 1, p_now);
  return query select 1::smallint, (v_head.position + 1)::bigint, v_positions;
end $$;
