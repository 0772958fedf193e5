-- A verification was refused or given up (hub/verifier.cc).
delete from hub_requests where request = $1::bigint
