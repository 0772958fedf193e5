-- How many shards there are, and what tells the key of the secrets (hub/store.cc).
select shards, key_check from hub_facts
