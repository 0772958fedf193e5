// Keeps the rules of access as the database has them: hears of tokens that were made or revoked by NOTIFY, and looks
// twice a second, so that one is revoked within a second on every process that reaches the database.
// Threads: one of its own; calls from any, but stop(), which is the main thread's.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "access/rules.h"
#include "kernel/sealed.h"
#include "kernel/time.h"
#include "sql/database.h"

namespace courant::server {

using PublicWorkspaces = std::set<std::string, std::less<>>;

struct AccessSetup {
  bool is_open = false;  // everybody may do everything: nothing is looked for
  PublicWorkspaces public_to_read;
  std::optional<Vault> vault;  // whose keys sign URLs
};

class AccessKeeper {
 public:
  // database must outlive this. Has looked when it returns; throws sql::Unavailable.
  AccessKeeper(AccessSetup setup, const sql::Database& database, const Clock& clock);
  ~AccessKeeper();  // stops
  AccessKeeper(const AccessKeeper&) = delete;
  AccessKeeper& operator=(const AccessKeeper&) = delete;

  const access::CurrentRules& rules() const;

  // Other workspaces are public from now on, within a second. Any thread.
  void change(PublicWorkspaces public_to_read);

  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::server
