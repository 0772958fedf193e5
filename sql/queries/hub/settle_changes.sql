-- Forgets what has been taken up, unless it was replaced by something newer meanwhile (hub/owner_store.cc).
delete from hub_changes where change = any ($1::bigint[])
