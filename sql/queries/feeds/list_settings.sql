-- All workspaces with their feeds, as they are set; a workspace without feeds has one row (feeds/stored_settings.cc).
select w.name, w.settings, f.name, f.page_size, f.settings
from workspaces w
left join feeds f on f.workspace = w.name and f.deleted is null
order by w.name, f.name
