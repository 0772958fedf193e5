-- What tells the key of the secrets, sealed again, unless the newest key has sealed it (hub/resealing.cc).
update hub_facts set key_check = $1::bytea where substr(key_check, 1, length($2::bytea)) <> $2::bytea
