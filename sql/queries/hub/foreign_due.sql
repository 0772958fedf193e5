-- Topics of other servers that are to be fetched now, some of each host: hosts take turns (hub/foreign_store.cc).
select topic, host
from (select topic, host, due, row_number() over (partition by host order by due, topic) as turn
      from foreign_topics where due <= clock_timestamp()) waiting
where turn <= $1::bigint
order by turn, due
limit $2::bigint
