-- publish_items() for the call that is most frequent: all of its entries are of one feed, posted without conditions, and their
-- ids, each once, are new to the feed. Where any is not, where there is no such feed, or where p_now is so old that the
-- feed must be told, no row is returned and nothing was stored: publish_items() decides then. It costs half of what that costs,
-- since there is nothing to decide. What is stored is the same to the byte (tests/db/feeds/publish_new_test.cc).
-- Items are parallel arrays, in the order of their positions; p_updated, p_expires and p_traces are null where all of it is. The
-- XML is put together as publish_items() does it.
create or replace function publish_new(
  p_lane smallint, p_call uuid, p_now timestamptz, p_feed bigint, p_ids text[], p_hashes uuid[], p_digests bytea[],
  p_salts bytea[], p_before text[], p_after text[], p_canonical_before text[], p_canonical_after text[],
  p_updated timestamptz[], p_content_types text[], p_needs_alternate boolean[], p_terms text[], p_expires timestamptz[],
  p_traces text[])
returns table (item_position bigint, item_recorded timestamptz, item_leaf bytea, item_chain bytea)
language plpgsql volatile
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_position bigint;  -- the feed's head, before the call
  v_recorded timestamptz;
  v_chain bytea;
  v_recorded_text text;
  v_times text;
  v_leaf bytea;
  v_xmls text[] := '{}';
  v_leaves bytea[] := '{}';
  v_chains bytea[] := '{}';
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'publish_new needs read committed: a later statement must see what was committed before the lock';
  end if;
  perform pg_advisory_xact_lock(1131377010, p_lane);  -- lock_lane() without the cost of a function

  select coalesce(t.position, f.floor_position), greatest(p_now, coalesce(t.recorded, f.floor_recorded)),
         coalesce(t.chain, f.floor_chain)
  into v_position, v_recorded, v_chain
  from feeds f
  left join lateral (select e.position, e.recorded, e.chain from entries e
                     where e.lane = p_lane and e.feed = p_feed order by e.position desc limit 1) t on true
  where f.lane = p_lane and f.feed = p_feed and f.deleted is null
        and p_now >= clock_timestamp() - interval '20 seconds'
        and not exists (select from unnest(p_hashes) as h (id_hash)
                        cross join lateral (select from entry_ids x
                                            where x.lane = p_lane and x.feed = p_feed and x.id_hash = h.id_hash
                                            limit 1) known);
  if not found then
    return;
  end if;

  v_recorded_text := atom_time(v_recorded);
  for i in 1 .. cardinality(p_hashes) loop
    v_times := '<published>' || v_recorded_text || '</published><updated>'
               || coalesce(atom_time(p_updated[i]), v_recorded_text) || '</updated>';
    v_xmls[i] := p_before[i] || v_times || p_after[i];
    v_leaf := sha256(p_salts[i] || convert_to(
      coalesce(p_canonical_before[i] || v_times || p_canonical_after[i], v_xmls[i]), 'UTF8'));
    v_chain := sha256(v_chain || v_leaf);
    v_leaves[i] := v_leaf;
    v_chains[i] := v_chain;
  end loop;

  return query
    with into_entries as (
      insert into entries (lane, feed, position, kind, id, recorded, published, updated, content_type, needs_alternate,
                           size, terms, salt, leaf, chain, xml, expires, trace)
      select p_lane, p_feed, v_position + x.number, 1, x.id, v_recorded, v_recorded, coalesce(x.updated, v_recorded),
             x.content_type, x.needs_alternate, octet_length(x.xml), x.terms::text[], x.salt, x.leaf, x.chain, x.xml,
             x.expires, x.trace
      from unnest(p_ids, p_updated, p_content_types, p_needs_alternate, p_terms, p_salts, v_leaves, v_chains, v_xmls,
                  p_expires, p_traces) with ordinality
           as x (id, updated, content_type, needs_alternate, terms, salt, leaf, chain, xml, expires, trace, number)),
    into_ids as (
      insert into entry_ids (lane, feed, id_hash, first_position, newest_position, digest)
      select p_lane, p_feed, x.id_hash, v_position + x.number, v_position + x.number, x.digest
      from unnest(p_hashes, p_digests) with ordinality as x (id_hash, digest, number)),
    into_terms as (
      insert into entry_terms (lane, feed, term, position)
      select p_lane, p_feed, t.term, v_position + x.number
      from unnest(p_terms) with ordinality as x (terms, number) cross join lateral unnest(x.terms::text[]) as t (term)),
    into_journal as (
      insert into journal (lane, sequence, recorded, call, feeds, firsts, lasts, item_positions)
      select p_lane, coalesce((select max(j.sequence) from journal j where j.lane = p_lane), 0) + 1, p_now, p_call,
             array[p_feed], array[v_position + 1], array[v_position + cardinality(p_hashes)],
             array(select v_position + n from generate_series(1, cardinality(p_hashes)) as n))
    select v_position + x.number, v_recorded, x.leaf, x.chain
    from unnest(v_leaves, v_chains) with ordinality as x (leaf, chain, number);
end $$;
