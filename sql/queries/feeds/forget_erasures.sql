-- These have been vacuumed. Others may have been committed meanwhile.
delete from erasures where number = any ($1::bigint[])
