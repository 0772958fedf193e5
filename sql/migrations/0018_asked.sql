-- Feeds of which somebody waits to hear how far their subscriptions have come (hub/confirmations.h). The processes that
-- push write down sooner how far they have looked in these. What a crash takes from it is asked again.
create unlogged table hub_asked (
  lane smallint not null,
  feed bigint not null,
  until timestamptz not null,           -- and perhaps longer: then it is asked again
  primary key (lane, feed)
);
