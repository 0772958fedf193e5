#include "server/secrets.h"

#include <filesystem>

namespace courant::server {

Result<Vault> open_vault(const Config& config, const std::string& data) {
  std::string path = config.hub.secrets_key;
  if (path.empty()) {
    std::error_code error;
    std::filesystem::create_directories(data, error);
    path = data + "/hub.key";
  }
  return Vault::from_file(path);
}

}  // namespace courant::server
