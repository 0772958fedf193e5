-- Atom's form of an instant, as kernel/time.h writes it. Stable, since to_char is: else it could not be inlined.
create or replace function atom_time(instant timestamptz) returns text language sql stable strict parallel safe
as $$ select to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- One publish call: takes the lane's lock, then looks (a new statement, so that it sees every commit before), decides
-- each item, gives positions to what survives and inserts. Items are parallel arrays; those of a feed stand together, in the
-- order of their positions. No statement here may fail for what a client sent.
-- An item's XML is before || published and updated || after, since its times are known under the lock only; canonical
-- pieces are null where the XML is its own exclusive canonical form.
-- p_repeated: an earlier try of this call may have been committed (its connection died): what it did is answered again.
-- p_firsts: the first item of the call, from 1, with the same feed and id; mostly the item itself.
-- p_terms: of each item's categories, as an array literal; folded, each once.
-- p_groups: items with the same number, other than 0, are a batch: all of it is stored or none, leaving no trace. They
-- stand together. p_strict: for this item the same content again (2) is a failure of its batch.
-- p_kinds: 1 an entry that is posted, 2 a new revision of the id (or its first one), 3 the deletion of the id, whose XML
-- is before || its time || after. In one call an id that is revised or deleted is named once.
-- p_expected: the newest position that the id must have; 0 any, -1 none at all, -2 any but none.
-- p_heads: where the feed must stand before this item, or before its batch; -1 anywhere. What is stored already with the
-- same content is a retry, whatever its conditions say now.
-- p_recorded, p_published: of entries that another server stored at these times (feeds/imported.h); null: now.
-- p_traces: of each item the trace in which it was published; null: none of them has one.
-- p_media: the upload that the item names; the one that the revision before named is left in doubt, where it is replaced
-- with time for those who are being sent it. Revisions and deletions are in no batch.
-- What the feed's floor has passed is gone, though its rows may still be there: its ids are free again.
-- outcome: 1 created, 2 the same content is stored already, 3 other content is stored under this id, 4 the entry was
-- deleted, 5 there is no such feed (any more), 9 another item of its batch failed, 10 p_expected or p_heads
-- does not hold, 11 there is nothing under the id to delete, 12 a revision or deletion was appended.
-- Plans are made once: what is looked up is always found through a primary key, however many items there are. Each
-- expression costs a microsecond or two in each call, so there are few of them.
create or replace function publish_items(
  p_lane smallint, p_call uuid, p_now timestamptz, p_repeated boolean,
  p_feeds bigint[], p_ids text[], p_hashes uuid[], p_firsts bigint[], p_digests bytea[], p_salts bytea[],
  p_before text[], p_after text[], p_canonical_before text[], p_canonical_after text[], p_updated timestamptz[],
  p_content_types text[], p_needs_alternate boolean[], p_terms text[], p_groups bigint[], p_strict boolean[],
  p_kinds bigint[], p_expected bigint[], p_heads bigint[], p_expires timestamptz[], p_media uuid[],
  p_recorded timestamptz[], p_published timestamptz[], p_traces text[])
returns table (outcome smallint, item_position bigint, item_recorded timestamptz, item_published timestamptz,
               item_updated timestamptz, item_salt bytea, item_leaf bytea, item_chain bytea)
language plpgsql volatile
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  r record;   -- what entry_ids holds under the id of the item that the loop is at
  i integer;  -- that item
  v_earlier bigint[] := '{}';
  -- The feed that the loop is in, and where it stands.
  v_feed bigint;
  v_floor bigint;  -- null: there is no such feed
  v_position bigint;
  v_recorded timestamptz;
  v_chain bytea;
  -- The item.
  v_stored bigint;     -- where its id stands already; null: nowhere
  v_twins integer[] := '{}';  -- by p_firsts: the item of this call that is stored under the id
  v_twin integer;
  v_outcome smallint;  -- 0: it is to be stored
  v_known record;      -- the stored entry that it meets or revises
  v_published timestamptz;
  v_updated timestamptz;
  v_times text;
  v_xml text;
  v_leaf bytea;
  v_media uuid;        -- the upload that the revision before named
  v_all publish_item[] := '{}';  -- what becomes of each
  v_stores boolean := false;
  -- The batch that the loop is in, and where its feed stood before it.
  g_number bigint := 0;
  g_start integer;
  g_failed boolean;
  g_position bigint;
  g_recorded timestamptz;
  g_chain bytea;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'publish_items needs read committed: a later statement must see what was committed before the lock';
  end if;
  perform pg_advisory_xact_lock(1131377010, p_lane);  -- lock_lane() without the cost of a function

  if p_repeated then
    select item_positions into v_earlier from journal
    where lane = p_lane and call = p_call and recorded > p_now - interval '1 hour';
  end if;

  for r in
    select u.item, e.first_position, e.newest_position, e.deleted, e.digest,
           coalesce(e.newest_digest, e.digest) as newest_digest
    from generate_series(1, cardinality(p_feeds)) as u (item)
    left join lateral (select * from entry_ids x
                       where x.lane = p_lane and x.feed = p_feeds[u.item] and x.id_hash = p_hashes[u.item]
                       limit 1) e on true  -- the limit: else it may be planned to read all ids of the lane
    order by u.item
  loop
    i := r.item;
    if p_feeds[i] is distinct from v_feed then
      v_feed := p_feeds[i];
      select f.floor_position, coalesce(t.position, f.floor_position), coalesce(t.recorded, f.floor_recorded),
             coalesce(t.chain, f.floor_chain)
      into v_floor, v_position, v_recorded, v_chain
      from feeds f
      left join lateral (select e.position, e.recorded, e.chain from entries e
                         where e.lane = p_lane and e.feed = v_feed order by e.position desc limit 1) t on true
      where f.lane = p_lane and f.feed = v_feed and f.deleted is null;
    end if;

    if p_groups[i] <> g_number then
      g_number := p_groups[i];
      g_start := i;
      g_failed := false;
      g_position := v_position;
      g_recorded := v_recorded;
      g_chain := v_chain;
    end if;

    v_stored := case when r.newest_position <= v_floor then null
                     when r.first_position <= v_floor then r.newest_position
                     else r.first_position end;
    v_twin := case when p_kinds[i] = 1 and v_stored is null then v_twins[p_firsts[i]] end;

    v_outcome := case
      when v_floor is null then 5
      when v_earlier[i] > 0 then case when p_kinds[i] <> 1 and v_stored <> v_earlier[i] then 12 else 1 end
      when p_kinds[i] = 1 and v_stored > 0 and not r.deleted and r.digest = p_digests[i] then 2
      when p_digests[v_twin] = p_digests[i] then 2
      when p_kinds[i] = 2 and v_stored > 0 and not r.deleted and r.newest_digest = p_digests[i] and p_expected[i] <> -1 then 2
      when p_heads[i] >= 0 and p_heads[i] <> case when g_number = 0 then v_position else g_position end then 10
      when p_kinds[i] = 1 and v_stored > 0 then case when r.deleted then 4 else 3 end
      when v_twin > 0 then 3
      when p_kinds[i] = 3 and v_stored is null then 11
      when v_stored > 0 and r.deleted then 4
      when p_kinds[i] <> 1 and (p_expected[i] > 0 and (v_stored is null or p_expected[i] <> r.newest_position)
                            or p_expected[i] = -1 and v_stored > 0
                            or p_expected[i] = -2 and v_stored is null) then 10
      else 0 end;

    if v_outcome = 0 then
      v_stores := true;
      v_recorded := greatest(least(p_recorded[i], p_now), v_recorded);
      v_published := coalesce(p_published[i], v_recorded);
      v_updated := coalesce(p_updated[i], v_recorded);
      if v_stored > 0 then
        select e.published, greatest(v_updated, e.updated + interval '1 microsecond'), e.media
        into v_published, v_updated, v_media
        from entries e where e.lane = p_lane and e.feed = v_feed and e.position = r.newest_position;
        update entry_ids
        set newest_position = v_position + 1, newest_digest = p_digests[i], deleted = p_kinds[i] = 3
        where lane = p_lane and feed = v_feed and id_hash = p_hashes[i];
        if v_media is distinct from p_media[i] and v_media is not null then
          insert into media_doubts (due, feed, lane, media)
          values (case when p_kinds[i] = 3 then '-infinity' else p_now + interval '10 seconds' end, v_feed, p_lane, v_media);
        end if;
      elsif r.newest_position > 0 then
        delete from entry_ids where lane = p_lane and feed = v_feed and id_hash = p_hashes[i];  -- it is behind the floor
      end if;
      v_times := case when p_kinds[i] = 3 then atom_time(v_recorded)
                 else '<published>' || atom_time(v_published) || '</published><updated>' || atom_time(v_updated) || '</updated>'
                 end;
      v_xml := p_before[i] || v_times || p_after[i];
      v_leaf := sha256(p_salts[i] || convert_to(
        case when p_canonical_before[i] is null then v_xml
             else p_canonical_before[i] || v_times || p_canonical_after[i] end, 'UTF8'));
      v_chain := sha256(v_chain || v_leaf);
      v_position := v_position + 1;
      v_twins[p_firsts[i]] := i;
      v_all[i] := row(i, case when v_stored > 0 then 12 else 1 end, v_position,
                      case when v_stored > 0 then p_kinds[i] else 1 end, v_recorded, v_published, v_updated, p_salts[i],
                      v_leaf, v_chain, v_xml)::publish_item;
    elsif v_twin > 0 and v_outcome in (2, 3) then
      v_known := v_all[v_twin];
      v_all[i] := row(i, v_outcome, v_known.position, 0, v_known.recorded, v_known.published, v_known.updated,
                      v_known.salt, v_known.leaf, v_known.chain, null)::publish_item;
    else
      select e.position, e.recorded, e.published, e.updated, e.salt, e.leaf, e.chain into v_known
      from entries e
      where e.lane = p_lane and e.feed = v_feed
            and e.position = case when v_earlier[i] > 0 then v_earlier[i]
                                  when p_kinds[i] = 1 then v_stored else r.newest_position end
            and v_stored > 0;
      -- A redacted entry has no salt any more.
      v_all[i] := row(i, v_outcome, coalesce(v_known.position, 0), 0, v_known.recorded, v_known.published,
                      v_known.updated, coalesce(v_known.salt, p_salts[i]), v_known.leaf, v_known.chain,
                      null)::publish_item;
    end if;

    if g_number <> 0 and (g_failed or v_outcome > 2 or v_outcome = 2 and p_strict[i]) then
      -- What the batch was given is taken back; items that fail themselves keep their own outcome.
      for k in case when g_failed then i else g_start end .. i loop
        if v_all[k].outcome = 1 or v_all[k].outcome = 2 and not p_strict[k] then
          v_all[k] := row(k, 9, 0, 0, null, null, null, null, null, null, null)::publish_item;
          v_twins[p_firsts[k]] := null;
        end if;
      end loop;
      g_failed := true;
      v_position := g_position;
      v_recorded := g_recorded;
      v_chain := g_chain;
    end if;
  end loop;

  if v_stores then
    with stored as (select x.*, p_feeds[x.item] as feed from unnest(v_all) x where x.kind > 0),
    into_entries as (
      insert into entries (lane, feed, position, kind, id, recorded, published, updated, content_type, needs_alternate,
                           size, terms, salt, leaf, chain, xml, expires, media, trace)
      select p_lane, x.feed, x.position, x.kind, p_ids[x.item], x.recorded, x.published, x.updated,
             p_content_types[x.item], p_needs_alternate[x.item], octet_length(x.xml), p_terms[x.item]::text[], x.salt,
             x.leaf, x.chain, x.xml, p_expires[x.item], p_media[x.item], p_traces[x.item]
      from stored x),
    into_ids as (
      insert into entry_ids (lane, feed, id_hash, first_position, newest_position, digest)
      select p_lane, x.feed, p_hashes[x.item], x.position, x.position, p_digests[x.item]
      from stored x where x.kind = 1),
    into_terms as (
      insert into entry_terms (lane, feed, term, position)
      select p_lane, x.feed, t.term, x.position
      from stored x cross join lateral unnest(p_terms[x.item]::text[]) as t (term))
    insert into journal (lane, sequence, recorded, call, feeds, firsts, lasts, item_positions)
    select p_lane, coalesce((select max(j.sequence) from journal j where j.lane = p_lane), 0) + 1, p_now, p_call,
           array_agg(m.feed), array_agg(m.first), array_agg(m.last),
           array(select case when x.kind > 0 then x.position else 0 end from unnest(v_all) x)
    from (select x.feed, min(x.position) as first, max(x.position) as last from stored x group by x.feed) m
    having count(*) > 0;

    -- `recorded` may be long past: of an import, or by the clock of a server that is slow. Last-Modified must move all the
    -- same (feeds/last_modified.h).
    if p_recorded is not null or p_now < clock_timestamp() - interval '20 seconds' then
      update feeds f set modified = clock_timestamp() where f.lane = p_lane and f.feed = any (p_feeds);
    end if;
  end if;

  return query
    select x.outcome, x.position, x.recorded, x.published, x.updated, x.salt, x.leaf, x.chain from unnest(v_all) x;
end $$;
