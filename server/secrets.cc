#include "server/secrets.h"

#include <filesystem>

namespace courant::server {

std::string secrets_path(const Config& config, const std::string& data) {
  return config.hub.secrets_key.empty() ? data + "/hub.key" : config.hub.secrets_key;
}

Result<Vault> open_vault(const Config& config, const std::string& data) {
  std::error_code ignored;
  if (config.hub.secrets_key.empty()) std::filesystem::create_directories(data, ignored);
  return Vault::from_file(secrets_path(config, data));
}

}  // namespace courant::server
