# What scripts/bench and scripts/bench-retention share; sourced in the project's folder. Sets work, a folder that goes
# away with every server that was started, kept, a folder that stays, and tool.
work=$(mktemp -dt courant-bench.XXXX)
chmod 755 "$work"
kept=${COURANT_BENCH_DATA:-/var/tmp/courant-bench}
mkdir -p "$kept"
chmod 755 "$kept"
tool=$PWD/build/release/bench_tool
crowd=$PWD/build/release/crowd
pids=()
cleanup() {
  ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true
  wait || true
  rm -rf "$work"
}
trap cleanup EXIT

fail() { echo "$0: $1" >&2; exit 1; }
say() { echo "$0: $1" >&2; }

build_release() {
  scripts/setup --bench || fail "the packages could not be installed, see above"
  (($(nproc) >= 2)) || fail "two cores are needed: one for the servers, one for the load"
  ulimit -Sn "$(ulimit -Hn)"  # each connection is a descriptor
  say "building release"
  mkdir -p build
  cmake --preset release -DCOURANT_TESTS=ON >build/configure.log 2>&1 || fail "cmake could not configure, see build/configure.log"
  cmake --build --preset release --target courant bench_tool crowd hub_tool -- --quiet || fail "the build failed, see the first error above"
}

# Servers.
free_port() { # a port on which nobody listens
  local port
  while port=$((20000 + RANDOM % 10000)) && ss -Htln "sport = :$port" | grep -q .; do :; done
  echo "$port"
}
wait_for() { # URL, process, its log
  local i
  for ((i = 0; ; ++i)); do
    curl -sf "$1" >/dev/null && return
    kill -0 "$2" 2>/dev/null && ((i < 600)) || { cat "$3" >&2; fail "a server did not start"; }
    sleep 0.1
  done
}
start_courant() { # data, configuration, more options: sets pid and port; with access=tokens nobody may do without
  port=$(free_port)
  taskset -c "${server_cores:-0}" build/release/courant serve --data "$1" --listen "127.0.0.1:$port" --operations "" \
    --access "${access:-open}" --config "$2" "${@:3}" >"$work/courant-$port.log" 2>&1 &
  pid=$!
  pids+=("$pid")
  wait_for "http://127.0.0.1:$port/-/health/ready" "$pid" "$work/courant-$port.log"
}
stop_courant() {
  kill "$pid" 2>/dev/null || fail "the server has ended by itself"
  wait "$pid" || true
}
# A key and its certificate, P-256, for all servers: sets certificate and key.
make_certificate() {
  certificate=$work/certificate.pem key=$work/key.pem
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$key" -out "$certificate" 2>/dev/null ||
    fail "no certificate could be made"
}
# The configuration of the benchmark with TLS beside: sets tls_port and tls_config.
configure_tls() {
  tls_port=$(free_port) tls_config=$work/tls-$RANDOM.toml
  awk -v port="$tls_port" -v certificate="$certificate" -v key="$key" '
    { print }
    $0 == "[server]" { printf "listen_tls = [\"127.0.0.1:%s\"]\ntls.certificate = \"%s\"\ntls.key = \"%s\"\n", port, certificate, key }' \
    tests/bench/bench.toml >"$tls_config"
}
start_nginx() { # serves the folder `work`, also over TLS where there is a certificate: sets nginx, nginx_port and nginx_tls_port
  nginx_port=$(free_port)
  nginx_tls_port=$(free_port)
  local tls=''
  if [[ -n ${certificate:-} ]]; then
    tls="server { listen 127.0.0.1:$nginx_tls_port ssl http2; ssl_certificate $certificate; ssl_certificate_key $key;
      ssl_protocols TLSv1.2 TLSv1.3; root $work; }"
  fi
  cat >"$work/nginx.conf" <<EOF
daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/nginx.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; gzip_static on; open_file_cache max=100; keepalive_requests 1000000000; keepalive_timeout 600s;
  client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work; uwsgi_temp_path $work; scgi_temp_path $work;
  server { listen 127.0.0.1:$nginx_port; root $work; }
  $tls
}
EOF
  taskset -c 0 "$(command -v nginx || echo /usr/sbin/nginx)" -c "$work/nginx.conf" 2>/dev/null &
  nginx=$!
  pids+=("$nginx")
  wait_for "http://127.0.0.1:$nginx_port/page.xml" "$nginx" "$work/nginx.log"
}
database_of() { echo "postgresql:///courant?host=$1/postgres&user=courant"; }
# Starts a server on a data folder with feeds of a million and of a thousand entries, every archive page closed; builds
# what is missing. Sets pid and port.
fill_million() {
  start_courant "$1" tests/bench/uncached.toml
  say "feeds of a million and of a thousand entries in $1 (some minutes the first time)"
  "$tool" fill "$port" /bench/thousand 1000 && "$tool" fill "$port" /bench/million 1000000 || fail "filling failed"
  wait_for_pages "$(database_of "$1")"
}
wait_for_pages() {
  local missing
  while missing=$(psql "$1" -Atc "select 40000 - max(page) from archive_pages p join feeds f using (lane, feed) where f.name = 'million'") &&
    [[ $missing != 0 ]]; do
    say "${missing:-40000} archive pages are still to be closed"
    sleep 5
  done
  psql "$1" -qc 'vacuum analyze' -c checkpoint
}

# Measuring.
# CPU time of a process and all its descendants, in hundredths of a second.
cpu_of() {
  { cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v root="$1" '
    { process = $1; sub(/^[0-9]+ \(.*\) /, ""); parent[process] = $2; ticks[process] = $12 + $13 + $14 + $15 }
    END {
      for (p in parent) {
        for (q = p; q != root && q in parent && q > 1; q = parent[q]);
        if (q == root) sum += ticks[p]
      }
      print sum + 0
    }'
}
resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"; } # process: KiB
with_cpu() { # process, command that prints a rate: "rate microseconds-of-CPU"
  local process=$1 before rate after
  shift
  before=$(cpu_of "$process")
  rate=$("$@")
  after=$(cpu_of "$process")
  awk "BEGIN {print $rate, ($after - $before) * 10000 / ($rate * $seconds)}"
}
etag_of() { curl -skI "$1" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p'; }
is_status() { # expected, curl arguments: fails where the answer is another one
  local expected=$1 status
  shift
  status=$(curl -s -o /dev/null -w '%{http_code}' "$@")
  [[ $status == "$expected" ]] || fail "expected $expected, got $status from: $*"
}
wrk_rate() { # connections, further arguments: requests/s
  local connections=$1 out
  shift
  out=$(taskset -c 1 wrk -t1 -c"$connections" -d"${seconds}s" "$@")
  if grep -Eq 'Socket errors|Non-2xx' <<<"$out"; then fail "$(grep -E 'Socket errors|Non-2xx' <<<"$out") in: wrk $*"; fi
  sed -n 's/^Requests\/sec: *//p' <<<"$out"
}
h2load_rate() { # arguments: requests/s of 8 connections with 16 streams each
  local out
  out=$(taskset -c 1 h2load -t1 -c8 -m16 -D "$seconds" "$@")
  grep -q ' 0 failed, 0 errored, 0 timeout' <<<"$out" || fail "$(grep '^requests:' <<<"$out") in: h2load $*"
  grep -q '^status codes: 0 2xx, [1-9][0-9]* 3xx, 0 4xx, 0 5xx' <<<"$out" || fail "$(grep '^status' <<<"$out") in: h2load $*"
  sed -n 's/^finished in .*, \([0-9.]*\) req\/s.*/\1/p' <<<"$out"
}
value_of() { sed -n "s/^$1 //p"; } # name: of the figures that a program prints
connect_rate() { # address:port, path, more options of the crowd: connections/s, each with a request
  local out
  out=$(taskset -c 1 "$crowd" connect "$@" --clients 32 --seconds "$seconds") || fail "connecting fails: $*"
  value_of rate <<<"$out"
}
pgbench_rate() { # script, database: transactions/s of 32 connections
  taskset -c 1 /usr/lib/postgresql/15/bin/pgbench -n -M prepared -c32 -T "$seconds" -f "$1" "$2" 2>/dev/null |
    sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
microseconds() { awk "BEGIN {print 1000000 * $1 / $2}"; } # connections, rate: of one request
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

# Replaces a section of docs/PERFORMANCE.md, from its heading to the next one, or adds it at the end: heading, a sentence,
# a file.
write_results() {
  local machine
  machine=$(printf '%s, %s cores, %s, PostgreSQL %s, kernel %s' "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" "$(nproc)" \
    "$(. /etc/os-release && echo "$PRETTY_NAME")" "$(psql --version | awk '{print $3}')" "$(uname -r)")
  printf '%s. %s\n\n' "$machine" "$2" | cat - "$3" >"$work/section.md"
  awk -v heading="$1" -v section="$work/section.md" '
    $0 == heading { found = 1; print; while ((getline line < section) > 0) print line; print ""; skipping = 1; next }
    /^## / { skipping = 0 }
    !skipping { print }
    END { if (!found) { print ""; print heading; while ((getline line < section) > 0) print line } }' docs/PERFORMANCE.md >"$work/new.md"
  cp "$work/new.md" docs/PERFORMANCE.md
}

has_table() { awk -v heading="$1" '/^## / { inside = $0 == heading } inside && /^\| / { found = 1 } END { exit !found }' docs/PERFORMANCE.md; }
# Replaces those rows of a section's table that a file has, by their first cells, and adds what is new at its end: heading,
# file.
write_rows() {
  awk -v heading="$1" -v file="$2" '
    function add_rest(  i) { for (i = 1; i <= count; ++i) if (order[i] in rows) print rows[order[i]]; count = 0 }
    BEGIN {
      while ((getline line < file) > 0) {
        split(line, cells, "|")
        if (line ~ /^\| / && cells[2] != " case ") { rows[cells[2]] = line; order[++count] = cells[2] }
      }
    }
    inside && is_table && !/^\|/ { add_rest(); inside = 0 }
    /^## / { inside = $0 == heading; is_table = 0 }
    inside && /^\|/ {
      is_table = 1
      split($0, cells, "|")
      if (cells[2] in rows) { $0 = rows[cells[2]]; delete rows[cells[2]] }
    }
    { print }
    END { if (inside) add_rest() }' docs/PERFORMANCE.md >"$work/new.md"
  cp "$work/new.md" docs/PERFORMANCE.md
}
