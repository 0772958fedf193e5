#include "server/admission/access_keeper.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "access/signed_url.h"
#include "kernel/log.h"
#include "server/admission/token_store.h"
#include "sql/listener.h"

namespace courant::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookForTokens = 500ms;    // at least so often, heard of anything or not
constexpr auto kListenForTokens = 100ms;  // how long a stop may have to wait
constexpr auto kPauseOfKeeper = 200ms;    // while the database cannot be reached

access::RulesText rules_text_of(const AccessSetup& setup) {
  return {setup.is_open, setup.public_to_read, {}, {}};
}

}  // namespace

struct AccessKeeper::State {
  State(AccessSetup the_setup, const sql::Database& the_database, const Clock& the_clock)
      : setup(std::move(the_setup)),
        database(the_database),
        clock(the_clock),
        rules(std::make_shared<const access::Rules>(rules_text_of(setup))),
        public_to_read(setup.public_to_read) {}

  // What a look has found; the keeper's thread's, after the first.
  struct Found {
    std::int64_t revision = -1;
    std::vector<std::string> keys;
    PublicWorkspaces public_to_read;
    std::optional<Instant> expiry;  // of the next token
  };

  PublicWorkspaces told() {
    const std::lock_guard lock(mutex);
    is_told = false;
    return public_to_read;
  }

  void look(sql::Session& session) {
    const Ticks asked = clock.ticks();
    const Instant now = clock.now();
    // Before the tokens: what is changed in between is found the next time.
    const std::int64_t revision = access_revision(session);
    std::vector<std::string> keys;
    if (setup.vault) keys = setup.vault->derive_all(access::kSigningUse);
    PublicWorkspaces open_to_read = told();
    const bool has_expired = found.expiry && *found.expiry <= now;
    const bool is_same = keys == found.keys && open_to_read == found.public_to_read;
    if (revision != found.revision || !is_same || has_expired) {
      const auto made = std::make_shared<const access::Rules>(
          access::RulesText{setup.is_open, open_to_read, good_tokens(session, now), keys});
      found = {revision, std::move(keys), std::move(open_to_read), made->next_expiry(now)};
      rules.replace(made);
    }
    rules.heard(asked);
  }

  void keep() {
    bool has_warned = false;
    while (!is_stopping) {
      try {
        keep_listening();
      } catch (const std::exception& error) {
        if (!std::exchange(has_warned, true)) {
          log_warning("the database does not say which tokens are good; those of before are for a while",
                      {{"reason", error.what()}});
        }
        std::unique_lock lock(mutex);
        stopped.wait_for(lock, kPauseOfKeeper, [&] { return is_stopping.load(); });
        continue;
      }
      has_warned = false;
    }
  }

  // One connection's life: listens first, then looks.
  void keep_listening() {
    const std::unique_ptr<sql::Session> session = database.connect();
    sql::Listener listener(database.options(), "courant_access");
    Ticks next_look = clock.ticks();
    while (!is_stopping) {
      if (clock.ticks() >= next_look || is_told) {
        look(*session);
        next_look = clock.ticks() + kLookForTokens;
      }
      if (!listener.wait(kListenForTokens).empty()) next_look = clock.ticks();
    }
  }

  const AccessSetup setup;
  const sql::Database& database;
  const Clock& clock;
  access::CurrentRules rules;
  Found found;

  std::atomic<bool> is_stopping{false};
  std::atomic<bool> is_told{false};  // of other workspaces than before
  std::mutex mutex;
  PublicWorkspaces public_to_read;  // guarded by mutex
  std::condition_variable stopped;  // the pause of a thread that has lost the database
  std::thread thread;
};

AccessKeeper::AccessKeeper(AccessSetup setup, const sql::Database& database, const Clock& clock)
    : state_(std::make_unique<State>(std::move(setup), database, clock)) {
  if (state_->setup.is_open) return;
  state_->look(*database.connect());
  state_->thread = std::thread([this] { state_->keep(); });
}

AccessKeeper::~AccessKeeper() {
  stop();
}

const access::CurrentRules& AccessKeeper::rules() const {
  return state_->rules;
}

void AccessKeeper::change(PublicWorkspaces public_to_read) {
  if (state_->setup.is_open) return;
  const std::lock_guard lock(state_->mutex);
  state_->public_to_read = std::move(public_to_read);
  state_->is_told = true;
}

void AccessKeeper::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->stopped.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace courant::server
