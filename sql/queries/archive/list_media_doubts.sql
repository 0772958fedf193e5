-- Uploads that it is time to look at (archive/janitor.cc).
select distinct lane, feed, media from media_doubts where due <= $1::timestamptz limit 100
