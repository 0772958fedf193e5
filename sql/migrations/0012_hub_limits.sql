-- What the hub's limits are counted by, beside topic and host. Of subscriptions that were made before nothing is known
-- until they are made again: they count for no domain and no client.
alter table subscriptions
  add column callback_domain text not null default '',  -- the registrable domain of the host; of an address the address
  add column client text not null default '';           -- the address that asked for it last (IPv6: its /64)
create index subscriptions_by_domain on subscriptions (callback_domain);
create index subscriptions_by_client on subscriptions (client);

alter table hub_requests add column callback_domain text not null default '';
