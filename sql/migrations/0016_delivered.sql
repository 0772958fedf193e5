-- Finds the subscriptions of a feed, of whatever topic, to count how far they have come (hub/confirmations.h).
create index subscriptions_by_feed on subscriptions (lane, feed);
