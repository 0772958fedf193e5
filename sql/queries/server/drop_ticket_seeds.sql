-- What is older than an epoch; a row for each (server/ticket_seeds.cc).
delete from ticket_seeds where epoch < $1::bigint returning epoch
