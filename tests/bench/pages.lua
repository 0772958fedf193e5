-- For wrk: each request asks for another page. BENCH_PATH has a %d, which becomes a random number from 1 to BENCH_MOST.
local path = os.getenv('BENCH_PATH')
local most = tonumber(os.getenv('BENCH_MOST'))
math.randomseed(os.time())
request = function()
  return wrk.format(nil, path:format(math.random(most)))
end
