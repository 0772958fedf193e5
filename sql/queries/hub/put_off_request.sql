-- A verification failed and will be tried again, or could not be begun, which counts as no attempt (hub/verifier.cc).
update hub_requests
set attempts = attempts + $3::bigint, next_attempt = clock_timestamp() + make_interval(secs => $2::bigint / 1000.0)
where request = $1::bigint
