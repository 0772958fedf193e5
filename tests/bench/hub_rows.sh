# The rows of scripts/bench that measure the hub; sourced by it. Each has a server of its own, with tests/bench/hub.toml, on
# core 0; publishers and callbacks are on core 1.
hub_tool=$PWD/build/release/hub_tool

hub_server() { # a name, for its data: sets pid, port, hub_base and hub_database
  sync  # else the first commits wait for the disk to write what rows before have left
  start_courant "$work/hub-$1" tests/bench/hub.toml
  hub_base=http://127.0.0.1:$port hub_database=$(database_of "$work/hub-$1")
}
# Subscriptions of a feed with a term each, which no entry has; as if they had been made and verified long ago.
subscribe_to_nothing() { # feed, how many: on the server of pid, port and hub_database
  curl -sf -H 'Content-Type: application/atom+xml' --data-binary "$(entry first)" "http://127.0.0.1:$port/bench/$1" >/dev/null ||
    fail "publishing fails"
  psql "$hub_database" -q <<SQL
insert into subscriptions (shard, key, lane, feed, topic, self, callback, callback_host, identity, renews, verified, lease_until, cursor)
select i % (select shards from hub_facts), sha256(i::text::bytea), f.lane, f.feed, '/bench/$1?search=%2Bnever' || i,
       'http://127.0.0.1:$port/bench/$1?search=%2Bnever' || i, 'http://127.0.1.1:1/' || i, '127.0.1.1', 'anonymous', false,
       now(), now() + interval '10 days', 1
from feeds f, generate_series(1, $2) i where f.name = '$1';
update hub_shards set owner = '', epoch = epoch + 1;
analyze subscriptions;
SQL
  # Those that are read and have nothing to get share the watches of their shards.
  until [[ $(psql "$hub_database" -Atc "select count(*) from subscriptions where watch is null") == 0 ]]; do
    sleep 0.2
  done
}

# Deliveries a second of one entry to 10,000 callbacks on 100 hosts, beside wrk, which posts the same document to one of
# them: sets figures.
fan_out() {
  local rate url posted
  hub_server "fan-$round"
  coproc fan { exec taskset -c 1 "$hub_tool" fanout "$port" /bench/fan 10000 100 5 "$work/fan.xml"; }
  local fan_kept=$fan_PID answers
  pids+=("$fan_kept")
  exec {answers}<&"${fan[0]}"
  read -r rate <&"$answers" && read -r url <&"$answers" || fail "not every delivery came"
  posted=$(BENCH_BATCH=$work/fan.xml taskset -c 0 wrk -t1 -c64 -d"${seconds}s" -s tests/bench/batch.lua "$url/wrk" |
    sed -n 's/^Requests\/sec: *//p')
  eval "exec ${fan[1]}>&-"
  exec {answers}<&-
  wait "$fan_kept" || fail "the callbacks failed"
  stop_courant
  figures="$rate $posted"
}
# Milliseconds from a publish to its delivery beyond a one-row commit, median, and in all, of the slowest in a hundred:
# sets figures.
push_latency() {
  local p50 p99 commit
  hub_server "latency-$round"
  commit=$(taskset -c 1 "$tool" commit "$hub_database" 300)
  read -r p50 p99 < <(taskset -c 1 "$hub_tool" latency "$port" 100 10 50 "$seconds") || fail "not every delivery came"
  stop_courant
  figures=$(awk "BEGIN {print ($p50 - $commit) / 1000, $p99 / 1000}")
}
# Publishes a second beside so many subscriptions that match nothing: sets figures.
publish_beside() { # how many
  hub_server "beside-$1-$round"
  subscribe_to_nothing beside "$1"
  figures=$(wrk_rate 64 -s tests/bench/post.lua "$hub_base/bench/beside")
  stop_courant
}
# Microseconds until an entry has reached the ten subscriptions that match it, beside so many others: sets figures.
reach_beside() { # how many others
  hub_server "reach-$1-$round"
  subscribe_to_nothing reach "$1"
  figures=$(taskset -c 1 "$hub_tool" reach "$port" /bench/reach ours 10 100)
  stop_courant
}
# The slowest in a hundred of conditional GETs, microseconds, while somebody publishes to a feed without subscribers, and to
# one with 1,000 whose callbacks never answer; in turns, ten times each: sets figures.
readers_beside_dead() {
  local turn idle='' busy='' holder
  hub_server "dead-$round"
  coproc holding { exec taskset -c 1 "$hub_tool" dead "$port" /bench/dead 1000 50; }
  holder=$holding_PID
  pids+=("$holder")
  read -r _ <&"${holding[0]}" || fail "not all callbacks were verified"
  stop_courant
  for ((turn = 0; turn < 10; ++turn)); do
    hub_server "idle-$round"
    idle+=$(readers_p99 /bench/dead)$'\n'
    stop_courant
    hub_server "dead-$round"
    busy+=$(readers_p99 /bench/dead)$'\n'
    stop_courant
  done
  eval "exec ${holding[1]}>&-"
  wait "$holder" || true
  figures="$(printf %s "$busy" | median) $(printf %s "$idle" | median)"
}
readers_p99() { # feed: while it is published to
  local etag publisher publishing
  exec {publishing}> >(exec taskset -c 1 "$tool" slowest "$port" "$1" >/dev/null)  # bash has one coproc at a time
  publisher=$!
  until etag=$(etag_of "$hub_base$1") && [[ -n $etag ]]; do sleep 0.1; done
  taskset -c 1 wrk -t1 -c8 -d3s --latency "$hub_base$1" | awk '$1 == "99%" {
    value = $2 + 0; if ($2 ~ /ms$/) value *= 1000; else if ($2 ~ /[0-9]s$/) value *= 1000000; print value }'
  exec {publishing}>&-
  wait "$publisher" || true
}

hub_rows() { # one round
  if wanted fanout; then
    fan_out
    add fanout "${figures% *}" "${figures#* }"
  fi
  if wanted push; then
    push_latency
    add push "${figures% *}" ''
    add push_p99 "${figures#* }" ''
  fi
  if wanted beside; then
    publish_beside 1
    a=$figures
    publish_beside 1000
    b=$figures
    publish_beside 100000
    add beside1k "$b" "$a"
    add beside100k "$figures" "$a"
  fi
  if wanted reach; then
    reach_beside 10
    a=$figures
    reach_beside 100000
    add reach "$figures" "$a"
  fi
  if wanted dead; then
    readers_beside_dead
    add dead "${figures% *}" "${figures#* }"
  fi
}
hub_table() {
  row fanout 'deliveries of one entry to 10,000 callbacks on 100 hosts, signed' 'wrk posting the same document' '/s' '>= 0.4'
  figure push 'publish to delivery, 100 feeds with 10 subscriptions, 50/s: median beyond a one-row commit' 'ms' '<= 3 ms'
  figure push_p99 'the same, p99, in all' 'ms' '< 50 ms'
  row beside1k 'publishing beside 1,000 subscriptions that match nothing' 'beside one' '/s' '>= 0.91'
  row beside100k 'publishing beside 100,000' 'beside one' '/s' '>= 0.91'
  row reach 'an entry reaches 10 subscriptions, beside 100,000 with other filters' 'beside 10' 'us' '<= 1.5'
  row dead 'readers'\'' p99 while 1,000 callbacks never answer' 'without subscriptions' 'us' '<= 1.5'
}
