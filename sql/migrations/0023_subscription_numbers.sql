-- Operators name a subscription by its number, and list them in its order (hub/operator_store.h).
create index subscriptions_by_number on subscriptions (subscription);
