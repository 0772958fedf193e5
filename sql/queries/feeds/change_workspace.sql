-- Makes a workspace or gives it other settings (feeds/stored_settings.cc).
select change_workspace($1::text, $2::jsonb, $3::timestamptz)
