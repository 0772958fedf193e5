-- What a subscriber was told, and what became of its deliveries.
alter table subscriptions
  add column told bigint,   -- Feed-Position of the last delivery, or of the verification; null: the cursor
  add column record jsonb;  -- the last success and the last failures (hub/delivery_record.h); null: none
