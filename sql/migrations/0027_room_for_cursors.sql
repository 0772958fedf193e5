-- A fan-out moves the cursor of every subscription of a page at once. Where the page has room for all of them anew, no index
-- is touched, of which there are nine (hub/write_back.h).
alter table subscriptions set (fillfactor = 45);
