-- Feeds of which somebody waits to hear how far their subscriptions have come (hub/store.cc).
select lane, feed from hub_asked where until > clock_timestamp()
