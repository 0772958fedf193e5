-- Until the end of the transaction nobody else changes what workspaces and feeds are (feeds/stored_settings.cc).
lock table workspaces in share row exclusive mode
