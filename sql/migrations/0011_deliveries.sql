-- What a subscriber was told.
alter table subscriptions
  add column told bigint;  -- Feed-Position of the last delivery, or of the verification; null: the cursor
