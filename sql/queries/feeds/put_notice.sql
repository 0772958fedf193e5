-- Something is to be published in a feed of the server's own (feeds/chronicler.cc).
insert into notices (feed, event_type, subject, data, recorded) values ($1::text, $2::text, $3::text, $4::jsonb, $5::timestamptz)
