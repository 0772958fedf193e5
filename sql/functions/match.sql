-- The positions in (p_after, p_upto] of entries that have one of p_terms (null: of all entries), at most p_most of them: the
-- newest, newest first, or the oldest, oldest first. Reads no more rows than p_most for each term.
create or replace function candidates(p_lane smallint, p_feed bigint, p_terms text[], p_after bigint, p_upto bigint,
                                      p_newest boolean, p_most bigint) returns bigint[]
language plpgsql stable as $$
begin
  if p_terms is null and p_newest then
    return array(select e.position from entries e
                 where e.lane = p_lane and e.feed = p_feed and e.position > p_after and e.position <= p_upto
                 order by e.position desc limit p_most);
  elsif p_terms is null then
    return array(select e.position from entries e
                 where e.lane = p_lane and e.feed = p_feed and e.position > p_after and e.position <= p_upto
                 order by e.position limit p_most);
  elsif p_newest then
    return array(select distinct x.position from unnest(p_terms) t (term) cross join lateral (
                   select y.position from entry_terms y
                   where y.lane = p_lane and y.feed = p_feed and y.term = t.term collate "C"
                         and y.position > p_after and y.position <= p_upto
                   order by y.position desc limit p_most) x
                 order by x.position desc limit p_most);
  else
    return array(select distinct x.position from unnest(p_terms) t (term) cross join lateral (
                   select y.position from entry_terms y
                   where y.lane = p_lane and y.feed = p_feed and y.term = t.term collate "C"
                         and y.position > p_after and y.position <= p_upto
                   order by y.position limit p_most) x
                 order by x.position limit p_most);
  end if;
end $$;

-- The entries in (p_after, p_upto] that match a filter, the newest or the oldest first: at most p_limit of them. Looks in
-- windows that double, so that it reads about what it finds, but at most about p_most rows: then it says how far it came.
-- p_terms and p_sets: every match has a term of each set (the terms with the same number, from 1 on; none: no term is
-- required). Each window looks where the sets' candidates lie widest apart, which is where the rarest is there.
-- p_filter: what candidates are held against, over their terms as a JSON array; null: every candidate matches.
-- looked_to: the last candidate looked at; is_exhausted: there are no more. No row: there is no such feed.
create or replace function match_entries(
  p_lane smallint, p_feed bigint, p_after bigint, p_upto bigint, p_newest boolean, p_terms text[], p_sets bigint[],
  p_filter jsonpath, p_limit bigint, p_most bigint)
returns table (head bigint, floor_position bigint, looked_to bigint, is_exhausted boolean, positions bigint[])
language plpgsql stable
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  n_terms constant bigint := greatest(cardinality(p_terms), 1);
  n_sets constant bigint := coalesce((select max(s) from unnest(p_sets) s), 0);
  v_low bigint;     -- the window lies in (v_low, v_high]
  v_high bigint;
  v_window bigint;  -- candidates
  v_read bigint := 0;
  v_candidates bigint[];
  v_fewest bigint[];
begin
  select coalesce((select e.position from entries e where e.lane = f.lane and e.feed = f.feed
                   order by e.position desc limit 1), f.floor_position), f.floor_position
  into head, floor_position
  from feeds f where f.lane = p_lane and f.feed = p_feed and f.deleted is null;
  if not found then
    return;
  end if;
  positions := '{}';
  v_low := greatest(p_after, floor_position);
  v_high := least(p_upto, head);
  v_window := least(case when p_filter is null then p_limit else 2 * p_limit end, greatest(p_most / n_terms, 50));
  loop
    v_fewest := candidates(p_lane, p_feed, case when n_sets > 0 then array(
                             select t.term from unnest(p_terms, p_sets) t (term, s) where t.s = 1) end,
                           v_low, v_high, p_newest, v_window);
    for i in 2 .. n_sets loop
      v_candidates := candidates(p_lane, p_feed, array(
                                   select t.term from unnest(p_terms, p_sets) t (term, s) where t.s = i),
                                 v_low, v_high, p_newest, v_window);
      if cardinality(v_candidates) < cardinality(v_fewest)
         or cardinality(v_candidates) = cardinality(v_fewest)
            and (p_newest and v_candidates[v_window] < v_fewest[v_window]
                 or not p_newest and v_candidates[v_window] > v_fewest[v_window]) then
        v_fewest := v_candidates;
      end if;
    end loop;
    is_exhausted := cardinality(v_fewest) < v_window;
    looked_to := coalesce(v_fewest[cardinality(v_fewest)], looked_to);
    if p_filter is not null then
      v_fewest := array(select e.position from entries e
                        where e.lane = p_lane and e.feed = p_feed and e.position = any (v_fewest)
                              and to_jsonb(e.terms) @@ p_filter
                        order by case when p_newest then -e.position else e.position end);
    end if;
    positions := positions || v_fewest[1 : p_limit - cardinality(positions)];
    v_read := v_read + n_terms * v_window;
    exit when is_exhausted or cardinality(positions) = p_limit or v_read >= p_most;
    if p_newest then
      v_high := looked_to - 1;
    else
      v_low := looked_to;
    end if;
    v_window := 2 * v_window;
  end loop;
  return next;
end $$;
