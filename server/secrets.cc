#include "server/secrets.h"

#include <filesystem>

#include "hub/key_check.h"

namespace courant::server {

std::string secrets_path(const Config& config, const std::string& data) {
  return config.hub.secrets_key.empty() ? data + "/hub.key" : config.hub.secrets_key;
}

std::optional<Fault> fault_of_missing_key(const Config& config, const std::string& data, sql::Database& database) {
  if (!config.hub.enabled || std::filesystem::exists(secrets_path(config, data))) return std::nullopt;
  std::optional<Fault> fault;
  database.with_session([&fault](sql::Session& session) { fault = hub::fault_of_new_key(session); });
  return fault;
}

Result<Vault> open_vault(const Config& config, const std::string& data) {
  std::error_code ignored;
  if (config.hub.secrets_key.empty()) std::filesystem::create_directories(data, ignored);
  return Vault::from_file(secrets_path(config, data));
}

}  // namespace courant::server
