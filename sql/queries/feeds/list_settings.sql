-- Workspaces with their feeds, as they are set: all, or one with those of its feeds that are named. A workspace without feeds has one row
-- (feeds/stored_settings.cc).
select w.name, w.settings, f.name, f.page_size, f.settings
from workspaces w
left join feeds f on f.workspace = w.name and f.deleted is null and ($2::text[] is null or f.name = any ($2::text[]))
where $1::text is null or w.name = $1::text
order by w.name, f.name
