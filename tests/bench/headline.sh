# scripts/bench --headline: 70,000 clients over TLS wait on 70 feeds of four server processes, each of which may have
# 20,000 descriptors, while 8,333 conditional requests a second (500,000 a minute) come in beside them. Servers, their
# PostgreSQL and the clients share the machine's cores. Sourced by scripts/bench.
clients=${BENCH_CLIENTS:-70000}
processes=4

make_certificate
configure_tls
server_cores=0-$(($(nproc) - 1))
start_courant "$work/data" "$tls_config" --processes "$processes"
courant=$pid

# Memory of the server's processes without PostgreSQL, in MiB; what they share counts once.
memory_of_servers() {
  local process sum=0
  for process in "$courant" $(pgrep -P "$courant" -f -- ' --process '); do
    sum=$((sum + $(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$process/smaps_rollup")))
  done
  echo $((sum / 1024))
}

before=$(memory_of_servers)
exec {says}< <(exec "$crowd" headline "127.0.0.1:$tls_port" /bench/headline --tls --clients "$clients" \
  --processes "$processes" --pace 16 --seconds "$seconds")
clients_kept=$!
pids+=("$clients_kept")
figures=''
after=''
while read -r figure <&"$says"; do
  figures+=$figure$'\n'
  # The first figure comes when all of them wait.
  if [[ -z $after ]]; then after=$(memory_of_servers); fi
done
wait "$clients_kept" || { echo "$figures" >&2; fail "there were errors"; }
of() { printf %s "$figures" | value_of "$1"; }
{
  echo '| what | figure | mark |'
  echo '|---|---|---|'
  printf '| clients that waited, at the beginning and at the end | %s, %s | %s |\n' "$clients" "$(of parked_at_end)" "$clients"
  printf '| new connections while they came, each with a full handshake | %.0f /s | |\n' "$(of connected_per_second)"
  printf '| conditional requests beside them, for %s s | %.0f /s | 8333 /s |\n' "$seconds" "$(of rate)"
  printf '| waits that ended meanwhile and began again | %s | |\n' "$(of parked_anew)"
  printf '| a conditional request, from when it was due: p50, p99, slowest | %.1f ms, %.1f ms, %.1f ms | p99 < 50 ms |\n' \
    "$(of p50_ms)" "$(of p99_ms)" "$(of max_ms)"
  printf '| errors | %s | none |\n' "$(of errors)"
  printf '| memory of the server processes, before and with all clients | %s MiB, %s MiB | |\n' "$before" "$after"
} | tee "$work/table.md"
if ((write)); then
  write_results "## 70,000 clients" "One run; servers, PostgreSQL and clients share both cores." "$work/table.md"
fi
