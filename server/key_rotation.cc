#include "server/key_rotation.h"

#include <nlohmann/json.hpp>

#include "hub/resealing.h"
#include "hub/store.h"
#include "kernel/key_file.h"
#include "server/audit.h"

namespace courant::server {
namespace {

std::string name_of_key(const std::string& id) {
  return id.empty() ? "without an id" : id;
}

// Where the file, which is there, is that of this database.
Result<Vault> vault_of(sql::Session& session, const std::string& path) {
  Result<Vault> vault = Vault::from_file(path);
  if (!vault) return vault.fault();
  const Result<std::int64_t> opened = hub::Store("", *vault).open(session);
  if (!opened) return opened.fault();
  return vault;
}

}  // namespace

Result<KeyRotated> rotate_key(sql::Session& session, const std::string& path, const KeyRotation& rotation,
                              const std::string& actor) {
  if (!hub::lock_resealing(session)) return Fault{"another one is changing the key of this database's secrets"};
  Result<std::vector<SealingKey>> keys = read_key_file(path);
  if (!keys) return keys.fault();
  const Result<Vault> vault = vault_of(session, path);
  if (!vault) return vault.fault();
  // Before the file, which is in no transaction, and before the secrets, which are in many: none of it is done untold.
  const auto note = [&](std::string_view act, std::string_view subject, nlohmann::json details) {
    note_act(session, actor, act, subject, std::move(details), SystemClock().now());
  };
  note("secrets-key-rotation-begun", "key file",
       {{"makes_key", rotation.makes_key}, {"drops_older", rotation.drops_old}});
  if (rotation.makes_key) {
    keys->insert(keys->begin(), make_sealing_key());
    if (const Result<bool> put = replace_key_file(path, *keys); !put) return put.fault();
  }
  KeyRotated rotated;
  rotated.newest = keys->front().id;
  if (rotated.newest.empty()) {
    return Fault{"the first key of " + path +
                 " has no id, so that nothing tells what it has sealed: put 8 hexadecimal digits of your choice and a "
                 "space before it"};
  }
  const hub::Resealed done = hub::Resealing(session, *vault).run();
  note("secrets-key-rotated", "key " + rotated.newest,
       {{"sealed_again", done.count}, {"lost", done.lost.size()}, {"older_dropped", rotation.drops_old}});
  rotated.sealed_again = done.count;
  for (const auto& [id, count] : done.lost) rotated.lost.emplace(name_of_key(id), count);
  for (std::size_t i = 1; i < keys->size(); ++i) rotated.older.push_back(name_of_key((*keys)[i].id));
  if (rotation.drops_old && !rotated.older.empty()) {
    if (const Result<bool> put = replace_key_file(path, {keys->front()}); !put) return put.fault();
  }
  return rotated;
}

}  // namespace courant::server
