// courant rotate-secrets-key: another key for what the database keeps sealed, while servers run.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "hub/resealing.h"
#include "hub/store.h"
#include "kernel/key_file.h"
#include "server/audit.h"
#include "server/commands/command_line.h"
#include "server/commands/on_database.h"
#include "server/secrets.h"

namespace courant::server {
namespace {

struct KeyRotation {
  bool makes_key = true;   // else the first key in the file is the new one
  bool drops_old = false;  // older keys are taken out of the file, where nothing is sealed with them any more
};

std::string name_of_key(const std::string& id) {
  return id.empty() ? "without an id" : id;
}

std::string names_of_older(const std::vector<SealingKey>& keys) {
  std::string names;
  for (std::size_t i = 1; i < keys.size(); ++i) names += (i > 1 ? ", " : "") + name_of_key(keys[i].id);
  return names;
}

// Where the file, which is there, is that of this database.
Result<Vault> vault_of(sql::Session& session, const std::string& path) {
  Result<Vault> vault = Vault::from_file(path);
  if (!vault) return vault.fault();
  const Result<std::int64_t> opened = hub::Store("", *vault).open(session);
  if (!opened) return opened.fault();
  return vault;
}

// The exit status: 0; 1 where something is left to be done, with a sentence.
int rotate_in(sql::Session& session, const std::string& path, const KeyRotation& rotation) {
  if (!hub::lock_resealing(session)) return say(Fault{"another one is changing the key of this database's secrets"});
  Result<std::vector<SealingKey>> keys = read_key_file(path);
  if (!keys) return say(keys.fault());
  const Result<Vault> vault = vault_of(session, path);
  if (!vault) return say(vault.fault());
  // Before the file, which is in no transaction, and before the secrets, which are in many: none of it is done untold.
  const auto note = [&](std::string_view act, std::string_view subject, nlohmann::json details) {
    note_act(session, actor_at_command_line(), act, subject, std::move(details), SystemClock().now());
  };
  note("secrets-key-rotation-begun", "key file",
       {{"makes_key", rotation.makes_key}, {"drops_older", rotation.drops_old}});
  if (rotation.makes_key) {
    keys->insert(keys->begin(), make_sealing_key());
    if (const Result<bool> put = replace_key_file(path, *keys); !put) return say(put.fault());
  }
  const std::string newest = keys->front().id;
  if (newest.empty()) {
    return say(Fault{"the first key of " + path +
                     " has no id, so that nothing tells what it has sealed: put 8 "
                     "hexadecimal digits of your choice and a space before it"});
  }
  const hub::Resealed done = hub::Resealing(session, *vault).run();
  note("secrets-key-rotated", "key " + newest,
       {{"sealed_again", done.count}, {"lost", done.lost.size()}, {"older_dropped", rotation.drops_old}});
  std::printf("Secrets are sealed with the key %s of %s now; %lld were sealed again.\n", newest.c_str(), path.c_str(),
              static_cast<long long>(done.count));
  for (const auto& [id, count] : done.lost) {
    std::fprintf(stderr,
                 "courant: %lld secrets stay as they are: their key (%s) is not in %s. Nothing is sent to their "
                 "subscriptions until it is, or until their owners set new secrets.\n",
                 static_cast<long long>(count), name_of_key(id).c_str(), path.c_str());
  }
  const std::string older = names_of_older(*keys);
  if (!older.empty() && !rotation.drops_old) {
    std::printf(
        "Older keys (%s) are not needed once every server has the new file: those that share it read it within a "
        "second. Then take them out: courant rotate-secrets-key --drop-old\n",
        older.c_str());
  }
  if (!older.empty() && rotation.drops_old) {
    if (const Result<bool> put = replace_key_file(path, {keys->front()}); !put) return say(put.fault());
    std::printf("Taken out: %s. Backups of the database from before need them still.\n", older.c_str());
  }
  return done.lost.empty() ? 0 : 1;
}

}  // namespace

void add_secrets_command(CommandLine& line) {
  const auto rotation = std::make_shared<KeyRotation>();
  CLI::App& rotating = line.add_on_data(
      "rotate-secrets-key", "another key for subscribers' secrets, while servers run (docs/OPERATIONS.md)",
      CommandLine::Flags::kDatabase, [rotation](const ServeOptions& options) {
        const std::string path = secrets_path(options.config, options.data);
        return on_database(
            options, [&](sql::Database&, sql::Session& session) { return rotate_in(session, path, *rotation); },
            "what is done is done, run it again with --no-new-key");
      });
  rotating.add_flag_callback(
      "--no-new-key", [rotation] { rotation->makes_key = false; }, "the first key in the file is the new one already");
  rotating.add_flag_callback(
      "--drop-old", [rotation] { *rotation = {.makes_key = false, .drops_old = true}; },
      "make none, and take older keys out of the file");
}

}  // namespace courant::server
