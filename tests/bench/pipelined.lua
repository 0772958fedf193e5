-- For wrk: the same request sixteen times at once. BENCH_ETAG: its If-None-Match.
local all
init = function()
  wrk.headers['If-None-Match'] = os.getenv('BENCH_ETAG')
  local one = wrk.format('GET')
  all = one:rep(16)
end
request = function()
  return all
end
