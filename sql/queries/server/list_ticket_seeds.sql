-- All that are there (server/ticket_seeds.cc).
select epoch, seed from ticket_seeds
