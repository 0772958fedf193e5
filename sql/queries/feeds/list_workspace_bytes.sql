-- What workspaces hold, as it was counted last (feeds/quotas.cc).
select workspace, bytes from workspace_bytes
