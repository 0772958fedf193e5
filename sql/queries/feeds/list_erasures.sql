-- What is to be vacuumed; null: nothing.
select array_agg(number) from erasures
