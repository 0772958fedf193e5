-- Drops rows of the journal that no server can need any more; the last one of each lane stays, for its sequence
-- (archive/janitor.cc).
delete from journal j where j.recorded < $1::timestamptz
                            and j.sequence < (select max(l.sequence) from journal l where l.lane = j.lane)
