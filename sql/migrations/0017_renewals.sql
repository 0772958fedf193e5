-- What a subscriber of PubSubHubbub 0.3 said, for the hub to say it again whenever it renews the subscription.
alter table subscriptions add column verify_token text;
