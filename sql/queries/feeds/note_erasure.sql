-- In the transaction of a redaction (feeds/lifecycle.cc).
insert into erasures (at) values ($1)
