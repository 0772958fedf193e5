-- Topics of other servers: what is known of each, when it is fetched, and what came of that. They are named by lane -1
-- where topics of feeds have their lane.
create table foreign_topics (
  topic bigint primary key generated always as identity,
  url text not null unique,             -- in its one spelling
  host text not null,                   -- of the URL: hosts take turns
  position bigint not null default 0,   -- of its last document; 0: there was none
  moved timestamptz,                    -- when that was stored
  known bytea,                          -- what the last fetches held (hub/foreign_news.h); null: there was none
  place text not null default '',       -- the URL that answered, behind redirects: whose the validators are
  etag text not null default '',
  last_modified text not null default '',
  is_ready boolean not null default false, -- it was fetched since somebody was the first to subscribe to it
  denied text,                          -- why it cannot be subscribed to
  next_fetch timestamptz not null,      -- not before
  due timestamptz,                      -- when it is to be fetched; null: once somebody says that it has news
  fetching_until timestamptz,           -- a process fetches it, and is believed to be alive until then
  again boolean not null default false, -- it was said to have news while it was being fetched
  attempts integer not null default 0,  -- that failed since
  fetches bigint not null default 0     -- that were stored: who stores one knows by it what the last one was
);
create index foreign_topics_due on foreign_topics (due) where due is not null;
create index foreign_topics_moved on foreign_topics (moved);

create table foreign_documents (        -- what came of a fetch that brought news: one position
  topic bigint not null references foreign_topics on delete cascade,
  position bigint not null,             -- from 1, without gaps but for those that are dropped
  stored timestamptz not null,
  content_type text not null,
  is_whole boolean not null,            -- all of what was fetched; false: what is new of a feed
  entries bigint not null,
  body bytea not null,
  primary key (topic, position)
);

create index hub_requests_by_topic on hub_requests (topic);
