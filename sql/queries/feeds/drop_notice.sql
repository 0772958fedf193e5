-- A notice that has been published (feeds/chronicler.cc).
delete from notices where number = $1::bigint
