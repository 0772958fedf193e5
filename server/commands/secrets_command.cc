// courant rotate-secrets-key: another key for what the database keeps sealed (server/key_rotation.h).
#include <cstdio>

#include <CLI/CLI.hpp>

#include "server/audit.h"
#include "server/commands/command_line.h"
#include "server/commands/on_database.h"
#include "server/key_rotation.h"
#include "server/secrets.h"

namespace courant::server {
namespace {

// The exit status: 0; 1 where something is left to be done, with a sentence.
int rotate_in(sql::Session& session, const std::string& path, const KeyRotation& rotation) {
  const Result<KeyRotated> done = rotate_key(session, path, rotation, actor_at_command_line());
  if (!done) return say(done.fault());
  std::printf("Secrets are sealed with the key %s of %s now; %lld were sealed again.\n", done->newest.c_str(),
              path.c_str(), static_cast<long long>(done->sealed_again));
  for (const auto& [key, count] : done->lost) {
    std::fprintf(stderr,
                 "courant: %lld secrets stay as they are: their key (%s) is not in %s. Nothing is sent to their "
                 "subscriptions until it is, or until their owners set new secrets.\n",
                 static_cast<long long>(count), key.c_str(), path.c_str());
  }
  std::string older;
  for (const std::string& key : done->older) older += (older.empty() ? "" : ", ") + key;
  if (!older.empty() && !rotation.drops_old) {
    std::printf(
        "Older keys (%s) are not needed once every server has the new file: those that share it read it within a "
        "second. Then take them out: courant rotate-secrets-key --drop-old\n",
        older.c_str());
  }
  if (!older.empty() && rotation.drops_old) {
    std::printf("Taken out: %s. Backups of the database from before need them still.\n", older.c_str());
  }
  return done->lost.empty() ? 0 : 1;
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
