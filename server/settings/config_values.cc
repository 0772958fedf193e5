// What a configuration says beyond its file: defaults, flags, and what follows from it.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "feeds/own_feeds.h"
#include "http/host_policy.h"
#include "kernel/text.h"
#include "kernel/uri.h"
#include "server/settings/config.h"
#include "server/settings/config_table.h"

namespace courant::server {
namespace {

std::string list_of(const std::vector<std::string_view>& words) {
  std::string list;
  for (const std::string_view word : words) list += (list.empty() ? "" : " or ") + std::string(word);
  return list;
}

// Open access is for this machine's programs alone, behind a proxy, too; and nothing is private where there is nobody
// who is asked who he is.
std::optional<Fault> fault_of_open_access(const Config& config) {
  if (!config.access.is_open()) return std::nullopt;
  std::vector<std::string> all = config.server.listen;
  all.insert(all.end(), config.server.listen_tls.begin(), config.server.listen_tls.end());
  for (const std::string& listen : all) {
    if (http::is_loopback(http::host_of(listen))) continue;
    return Fault{
        "access.mode = \"open\" with the address " + listen +
        " would let everybody publish who reaches it: say mode = \"tokens\" and make tokens with `courant token "
        "create`, or listen on 127.0.0.1"};
  }
  std::vector<std::string> names;  // that others know this server by
  for (const std::string& host : config.server.hosts) names.push_back(http::host_of(host));
  if (const std::optional<Uri> url = parse_uri(config.server.public_url)) names.push_back(url->host);
  for (const std::string& name : names) {
    if (name.empty() || http::is_loopback(name)) continue;
    return Fault{"access.mode = \"open\" with the name " + name +
                 " (server.public_url, server.hosts) would let everybody publish whom a proxy passes on: say mode = "
                 "\"tokens\" and make tokens with `courant token create`"};
  }
  for (const WorkspaceConfig& workspace : config.workspaces) {
    if (!workspace.is_private || workspace.name == feeds::kOwnWorkspace) continue;
    return Fault{"workspace " + workspace.name +
                 " is private, and access.mode = \"open\" asks nobody who he is: say mode = \"tokens\""};
  }
  return std::nullopt;
}

}  // namespace

Config default_config() {
  Config config;
  WorkspaceConfig demo;
  demo.name = "demo";
  demo.title = "Demo";
  demo.auto_create = true;
  config.workspaces.push_back(std::move(demo));
  return config;
}

std::optional<Fault> set_by_flag(Config& config, std::string_view flag, const std::vector<std::string>& values) {
  struct Set {
    Config& config;
    const Rules& rules;
    const std::vector<std::string>& values;
    bool operator()(std::string& (*field)(Config&)) const {
      const auto& words = rules.words;
      if (!words.empty() && std::find(words.begin(), words.end(), values.back()) == words.end()) return false;
      field(config) = values.back();
      return true;
    }
    bool operator()(std::vector<std::string>& (*field)(Config&)) const {
      field(config) = values;
      return true;
    }
    bool operator()(std::int64_t& (*field)(Config&)) const {
      const std::optional<std::uint64_t> number = parse_unsigned(values.back());
      if (!number || std::cmp_less(*number, rules.least) || std::cmp_greater(*number, rules.most)) return false;
      field(config) = static_cast<std::int64_t>(*number);
      return true;
    }
    bool operator()(...) const { std::abort(); }  // flags are for texts and numbers
  };
  for (const Setting<Config>& setting : config_settings()) {
    if (setting.rules.flag != flag || std::visit(Set{config, setting.rules, values}, setting.field)) continue;
    if (!setting.rules.words.empty()) return Fault{std::string(flag) + " must be " + list_of(setting.rules.words)};
    return Fault{std::string(flag) + " must be a number between " + std::to_string(setting.rules.least) + " and " +
                 std::to_string(setting.rules.most)};
  }
  return std::nullopt;
}

std::optional<Fault> fault_of_listening(const Config& config) {
  const Config::Server& server = config.server;
  if (server.listen.empty() && server.listen_tls.empty()) {
    return Fault{"server.listen or server.listen_tls needs at least one address"};
  }
  if (!server.listen_tls.empty() && (config.tls.certificate.empty() || config.tls.key.empty())) {
    return Fault{"server.listen_tls needs [server.tls] with certificate and key, two files in PEM"};
  }
  for (const std::string& listen : server.listen) {
    if (std::find(server.listen_tls.begin(), server.listen_tls.end(), listen) != server.listen_tls.end()) {
      return Fault{listen + " cannot be served with and without TLS: it is in server.listen and in server.listen_tls"};
    }
    if (server.allow_plain || http::is_loopback(http::host_of(listen))) continue;
    return Fault{"server.listen: " + listen +
                 " is plain HTTP off loopback: use server.listen_tls, or say server.allow_plain = true where a proxy "
                 "before it does TLS"};
  }
  return fault_of_open_access(config);
}

std::vector<feeds::ConfiguredWorkspace> configured_workspaces(const Config& config) {
  std::vector<feeds::ConfiguredWorkspace> workspaces;
  for (const WorkspaceConfig& from : config.workspaces) {
    feeds::ConfiguredWorkspace& workspace = workspaces.emplace_back();
    workspace.name = from.name;
    workspace.says_read = from.says_read;
    workspace.settings = {from.title,
                          from.auto_create,
                          from.max_feeds,
                          std::chrono::duration_cast<std::chrono::seconds>(from.expire_idle),
                          from.defaults.page_size,
                          from.defaults.settings,
                          from.is_private,
                          from.max_bytes,
                          from.max_subscriptions,
                          from.cors};
    for (const FeedConfig& feed : from.feeds) {
      workspace.feeds.push_back({feed.name, feed.page_size, feed.settings});
    }
  }
  if (std::ranges::none_of(workspaces, [](const auto& one) { return one.name == feeds::kOwnWorkspace; })) {
    workspaces.push_back(feeds::own_workspace());
  }
  return workspaces;
}

WorkspaceConfig workspace_config(const std::string& name, const feeds::WorkspaceSettings& settings) {
  WorkspaceConfig workspace;
  workspace.name = name;
  workspace.title = settings.title;
  workspace.auto_create = settings.auto_create;
  workspace.max_feeds = settings.max_feeds;
  workspace.expire_idle = settings.expire_idle;
  workspace.is_private = settings.is_private;
  workspace.max_bytes = settings.max_bytes;
  workspace.max_subscriptions = settings.max_subscriptions;
  workspace.cors = settings.cors;
  workspace.defaults.page_size = settings.page_size;
  workspace.defaults.settings = settings.feeds;
  return workspace;
}

std::string public_url(const Config& config) {
  std::string url = config.server.public_url;
  if (url.empty() && !config.server.listen_tls.empty()) url = "https://" + config.server.listen_tls.front();
  if (url.empty()) url = "http://" + config.server.listen.front();
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace courant::server
