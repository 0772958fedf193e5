-- One publish call: takes the lane's lock, then looks (a new statement, so that it sees every commit before), decides
-- each item, gives positions to what survives and inserts. Items are parallel arrays; their order is the order of
-- positions within a feed. No statement here may fail for what a client sent.
-- An item's XML is before || published and updated || after, since its times are known under the lock only; canonical
-- pieces are null where the XML is its own exclusive canonical form.
-- p_repeated: an earlier try of this call may have been committed (its connection died): what it did is answered again.
-- p_groups: items with the same number, other than 0, are a batch: all of it is stored or none, leaving no trace. They
-- stand together. p_strict: for this item the same content again (2) is a failure of its batch.
-- p_kinds: 1 an entry that is posted, 2 a new revision of the id (or its first one), 3 the deletion of the id, whose XML
-- is before || its time || after. In one call an id that is revised or deleted is named once.
-- p_expected: the newest position that the id must have; 0 any, -1 none at all, -2 any but none.
-- p_heads: where the feed must stand before this item; -1 anywhere.
-- What the feed's floor has passed is gone, though its rows may still be there: its ids are free again.
-- outcome: 1 created, 2 the same content is stored already, 3 other content is stored under this id, 4 the entry was
-- deleted, 5 there is no such feed (any more), 9 another item of its batch failed, 10 p_expected or p_heads
-- does not hold, 11 there is nothing under the id to delete, 12 a revision or deletion was appended.
create or replace function publish(
  p_lane smallint, p_call uuid, p_now timestamptz, p_repeated boolean,
  p_feeds bigint[], p_ids text[], p_hashes uuid[], p_digests bytea[], p_salts bytea[],
  p_before text[], p_after text[], p_canonical_before text[], p_canonical_after text[], p_updated timestamptz[],
  p_content_types text[], p_needs_alternate boolean[], p_term_items bigint[], p_terms text[],
  p_groups bigint[], p_strict boolean[], p_kinds bigint[], p_expected bigint[], p_heads bigint[], p_expires timestamptz[])
returns table (outcome smallint, item_position bigint, item_recorded timestamptz, item_published timestamptz,
               item_updated timestamptz, item_salt bytea, item_leaf bytea, item_chain bytea)
language plpgsql volatile
set enable_seqscan = off
as $$
declare
  n constant integer := cardinality(p_feeds);
  v_earlier bigint[] := '{}';
  -- By item: what is stored under its id, and which item of this call names that id first.
  i_stored bigint[];
  i_digest bytea[];
  i_deleted boolean[];
  i_newest bigint[];
  i_newest_digest bytea[];
  i_dropped boolean[];   -- the row of its id is left over from before the feed's floor
  i_first integer[];
  -- By feed of this call: where it stands.
  f_feed bigint[];
  f_position bigint[];
  f_recorded timestamptz[];
  f_chain bytea[];
  v_feed bigint := null;
  v_slot integer;
  v_position bigint;
  v_last_recorded timestamptz;
  v_recorded timestamptz;
  v_stamp timestamptz;
  v_times text;
  v_leaf bytea;
  v_chain bytea;
  v_sequence bigint;
  v_published timestamptz;  -- of the id's first revision
  v_previous timestamptz;   -- when its newest one says that it was updated
  v_twin integer;  -- an earlier item of this call that was stored under the same id
  -- The batch that the loop is in, and where its feed stood before it.
  g_number bigint := 0;
  g_start integer;
  g_failed boolean;
  g_position bigint;
  g_recorded timestamptz;
  g_chain bytea;
  o_outcome smallint[] := array_fill(0::smallint, array[n]);
  o_position bigint[] := array_fill(0::bigint, array[n]);
  o_kind smallint[] := array_fill(1::smallint, array[n]);
  o_published timestamptz[] := array_fill(null::timestamptz, array[n]);
  o_recorded timestamptz[] := array_fill(null::timestamptz, array[n]);
  o_updated timestamptz[] := array_fill(null::timestamptz, array[n]);
  o_leaf bytea[] := array_fill(null::bytea, array[n]);
  o_chain bytea[] := array_fill(null::bytea, array[n]);
  o_xml text[] := array_fill(null::text, array[n]);
  j_feeds bigint[] := '{}';
  j_firsts bigint[] := '{}';
  j_lasts bigint[] := '{}';
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'publish needs read committed: a later statement must see what was committed before the lock';
  end if;
  perform lock_lane(p_lane);

  if p_repeated then
    select item_positions into v_earlier from journal where lane = p_lane and call = p_call;
    v_earlier := coalesce(v_earlier, '{}');
  end if;

  select array_agg(x.first_position order by i.item), array_agg(x.digest order by i.item),
         array_agg(x.deleted order by i.item), array_agg(i.first_item::integer order by i.item),
         array_agg(x.newest_position order by i.item), array_agg(coalesce(x.newest_digest, x.digest) order by i.item),
         array_agg(d.dropped order by i.item)
  into i_stored, i_digest, i_deleted, i_first, i_newest, i_newest_digest, i_dropped
  from (select item, feed, hash, min(item) over (partition by feed, hash) as first_item
        from unnest(p_feeds, p_hashes) with ordinality as u (feed, hash, item)) i
  left join lateral (select e.*, f.floor_position, e.newest_position <= f.floor_position as dropped
                     from entry_ids e join feeds f on f.lane = p_lane and f.feed = i.feed
                     where e.lane = p_lane and e.feed = i.feed and e.id_hash = i.hash limit 1) d on true
  left join lateral (select case when d.first_position > d.floor_position then d.first_position
                                 else d.newest_position end as first_position,
                            d.digest, d.deleted, d.newest_position, d.newest_digest
                     where not d.dropped) x on true;

  select array_agg(f.feed), array_agg(coalesce(t.position, f.floor_position)),
         array_agg(coalesce(t.recorded, f.floor_recorded)), array_agg(coalesce(t.chain, f.floor_chain))
  into f_feed, f_position, f_recorded, f_chain
  from (select distinct u.feed from unnest(p_feeds) as u (feed)) d
  join feeds f on f.lane = p_lane and f.feed = d.feed and f.deleted is null
  left join lateral (select e.position, e.recorded, e.chain from entries e
                     where e.lane = p_lane and e.feed = f.feed order by e.position desc limit 1) t on true;

  for i in 1 .. n loop
    if p_feeds[i] is distinct from v_feed then
      if v_feed is not null and v_slot is not null then
        f_position[v_slot] := v_position;
        f_recorded[v_slot] := v_last_recorded;
        f_chain[v_slot] := v_chain;
      end if;
      v_feed := p_feeds[i];
      v_slot := array_position(f_feed, v_feed);
      if v_slot is not null then
        v_position := f_position[v_slot];
        v_last_recorded := f_recorded[v_slot];
        v_chain := f_chain[v_slot];
      end if;
    end if;

    if p_groups[i] <> g_number then
      g_number := p_groups[i];
      g_start := i;
      g_failed := false;
      g_position := v_position;
      g_recorded := v_last_recorded;
      g_chain := v_chain;
    end if;

    v_twin := null;
    if i_first[i] < i then
      for k in i_first[i] .. i - 1 loop
        if o_xml[k] is not null and p_feeds[k] = p_feeds[i] and p_hashes[k] = p_hashes[i] then
          v_twin := k;
          exit;
        end if;
      end loop;
    end if;

    if v_slot is null then
      o_outcome[i] := 5;
    elsif v_earlier[i] > 0 then
      o_position[i] := v_earlier[i];
      o_outcome[i] := case when p_kinds[i] <> 1 and i_stored[i] <> v_earlier[i] then 12 else 1 end;
    elsif p_heads[i] >= 0 and p_heads[i] <> v_position then
      o_outcome[i] := 10;
    elsif p_kinds[i] = 1 and i_stored[i] is not null then
      o_position[i] := i_stored[i];
      o_outcome[i] := case when i_deleted[i] then 4 when i_digest[i] = p_digests[i] then 2 else 3 end;
    elsif p_kinds[i] = 1 and v_twin is not null then
      o_position[i] := o_position[v_twin];
      o_outcome[i] := case when p_digests[v_twin] = p_digests[i] then 2 else 3 end;
    elsif i_stored[i] is null and p_kinds[i] = 3 then
      o_outcome[i] := 11;
    elsif i_deleted[i] then
      o_position[i] := i_newest[i];
      o_outcome[i] := 4;
    elsif p_kinds[i] <> 1 and (p_expected[i] > 0 and p_expected[i] is distinct from i_newest[i]
                               or p_expected[i] = -1 and i_stored[i] is not null
                               or p_expected[i] = -2 and i_stored[i] is null) then
      o_position[i] := coalesce(i_newest[i], 0);
      o_outcome[i] := 10;
    elsif p_kinds[i] = 2 and i_newest_digest[i] = p_digests[i] then
      o_position[i] := i_newest[i];
      o_outcome[i] := 2;
    else
      v_recorded := greatest(p_now, v_last_recorded);
      v_stamp := coalesce(p_updated[i], v_recorded);
      v_published := v_recorded;
      o_outcome[i] := 1;
      if i_stored[i] is not null then
        select e.published, e.updated into v_published, v_previous
        from entries e where e.lane = p_lane and e.feed = v_feed and e.position = i_newest[i];
        v_stamp := greatest(v_stamp, v_previous + interval '1 microsecond');
        o_kind[i] := p_kinds[i];
        o_outcome[i] := 12;
      end if;
      v_position := v_position + 1;
      if p_kinds[i] = 3 then
        v_times := atom_time(v_recorded);
      else
        v_times := '<published>' || atom_time(v_published) || '</published><updated>' || atom_time(v_stamp) || '</updated>';
      end if;
      o_xml[i] := p_before[i] || v_times || p_after[i];
      if p_canonical_before[i] is null then
        v_leaf := sha256(p_salts[i] || convert_to(o_xml[i], 'UTF8'));
      else
        v_leaf := sha256(p_salts[i] || convert_to(p_canonical_before[i] || v_times || p_canonical_after[i], 'UTF8'));
      end if;
      v_chain := sha256(v_chain || v_leaf);
      v_last_recorded := v_recorded;
      o_position[i] := v_position;
      o_recorded[i] := v_recorded;
      o_published[i] := v_published;
      o_updated[i] := v_stamp;
      o_leaf[i] := v_leaf;
      o_chain[i] := v_chain;
    end if;

    if g_number <> 0 then
      g_failed := g_failed or o_outcome[i] not in (1, 2) or (o_outcome[i] = 2 and p_strict[i]);
      if g_failed then
        -- What the batch was given is taken back; items that fail themselves keep their own outcome.
        for k in g_start .. i loop
          if o_xml[k] is not null or o_outcome[k] = 1 or (o_outcome[k] = 2 and not p_strict[k]) then
            o_outcome[k] := 9;
            o_position[k] := 0;
            o_recorded[k] := null;
            o_updated[k] := null;
            o_leaf[k] := null;
            o_chain[k] := null;
            o_xml[k] := null;
          end if;
        end loop;
        v_position := g_position;
        v_last_recorded := g_recorded;
        v_chain := g_chain;
      end if;
    end if;
  end loop;

  insert into entries (lane, feed, position, kind, id, recorded, published, updated, content_type, needs_alternate,
                       size, terms, salt, leaf, chain, xml, expires)
  select p_lane, u.feed, u.pos, u.kind, u.id, u.rec, u.pub, u.upd, u.content_type, u.needs_alternate, octet_length(u.xml),
         coalesce(t.terms, '{}'), u.salt, u.leaf, u.chain, u.xml, u.expires
  from unnest(p_feeds, o_position, o_kind, p_ids, o_recorded, o_published, o_updated, p_content_types,
              p_needs_alternate, p_salts, o_leaf, o_chain, o_xml, p_expires)
       with ordinality as u (feed, pos, kind, id, rec, pub, upd, content_type, needs_alternate, salt, leaf, chain, xml,
                             expires, item)
  left join (select v.item, array_agg(v.term) as terms from unnest(p_term_items, p_terms) as v (item, term)
             group by v.item) t on t.item = u.item
  where u.xml is not null;

  if found then
    if true = any (i_dropped) then
      delete from entry_ids e
      using unnest(p_feeds, p_hashes, o_xml, i_dropped) as u (feed, hash, xml, dropped)
      where u.dropped and u.xml is not null and e.lane = p_lane and e.feed = u.feed and e.id_hash = u.hash;
    end if;

    insert into entry_ids (lane, feed, id_hash, first_position, newest_position, digest)
    select p_lane, u.feed, u.hash, u.pos, u.pos, u.digest
    from unnest(p_feeds, p_hashes, o_position, p_digests, o_xml, o_kind) as u (feed, hash, pos, digest, xml, kind)
    where u.xml is not null and u.kind = 1;

    update entry_ids e
    set newest_position = u.pos, newest_digest = u.digest, deleted = u.kind = 3
    from unnest(p_feeds, p_hashes, o_position, p_digests, o_xml, o_kind) as u (feed, hash, pos, digest, xml, kind)
    where u.xml is not null and u.kind <> 1 and e.lane = p_lane and e.feed = u.feed and e.id_hash = u.hash;

    if cardinality(p_terms) > 0 then
      insert into entry_terms (lane, feed, term, position)
      select distinct p_lane, p_feeds[v.item], v.term, o_position[v.item]
      from unnest(p_term_items, p_terms) as v (item, term)
      where o_xml[v.item] is not null;
    end if;

    select array_agg(m.feed), array_agg(m.first), array_agg(m.last)
    into j_feeds, j_firsts, j_lasts
    from (select u.feed, min(u.pos) as first, max(u.pos) as last
          from unnest(p_feeds, o_position, o_xml) as u (feed, pos, xml) where u.xml is not null group by u.feed) m;
    select coalesce(max(j.sequence), 0) + 1 into v_sequence from journal j where j.lane = p_lane;
    insert into journal (lane, sequence, recorded, call, feeds, firsts, lasts, item_positions)
    select p_lane, v_sequence, p_now, p_call, j_feeds, j_firsts, j_lasts,
           array_agg(case when u.xml is null then 0 else u.pos end order by u.item)
    from unnest(o_position, o_xml) with ordinality as u (pos, xml, item);
  end if;

  return query
    select u.outcome, u.pos, coalesce(u.rec, e.recorded), coalesce(u.pub, e.published), coalesce(u.upd, e.updated),
           coalesce(e.salt, u.salt), coalesce(u.leaf, e.leaf), coalesce(u.chain, e.chain)
    from unnest(p_feeds, o_outcome, o_position, o_recorded, o_published, o_updated, p_salts, o_leaf, o_chain)
         with ordinality as u (feed, outcome, pos, rec, pub, upd, salt, leaf, chain, item)
    left join lateral (select x.recorded, x.published, x.updated, x.salt, x.leaf, x.chain from entries x
                       where u.rec is null and x.lane = p_lane and x.feed = u.feed and x.position = u.pos limit 1) e on true
    order by u.item;
end $$;
