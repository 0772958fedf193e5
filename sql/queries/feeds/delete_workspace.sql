-- Deletes a workspace without feeds; null: there is none, else some of its feeds (feeds/stored_settings.cc).
select delete_workspace($1::text, $2::timestamptz)
