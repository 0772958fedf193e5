-- For wrk: each request publishes the batch of the file BENCH_BATCH; its entries have no ids, so all of them are new.
local file = io.open(os.getenv('BENCH_BATCH'))
wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/atom+xml'
wrk.headers['Prefer'] = 'return=minimal'
wrk.body = file:read('*a')
file:close()
