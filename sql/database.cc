#include "sql/database.h"

#include <condition_variable>
#include <mutex>

#include "kernel/uri.h"
#include "sql/connect.h"

namespace courant::sql {

std::string connection_string(const DatabaseOptions& options) {
  const auto milliseconds = [](std::chrono::milliseconds duration) { return std::to_string(duration.count()); };
  const std::string settings =
      "-c timezone=UTC -c client_min_messages=warning -c default_transaction_isolation=read\\ committed"
      " -c statement_timeout=" +
      milliseconds(options.statement_timeout) + " -c lock_timeout=" + milliseconds(options.lock_timeout) +
      " -c idle_in_transaction_session_timeout=" + milliseconds(options.statement_timeout);
  const std::vector<std::pair<std::string, std::string>> added = {
      {"application_name", "courant"}, {"client_encoding", "UTF8"},
      {"connect_timeout", "5"},        {"tcp_user_timeout", milliseconds(options.tcp_user_timeout)},
      {"keepalives_idle", "5"},        {"keepalives_interval", "2"},
      {"keepalives_count", "3"},       {"options", settings}};
  std::string url = options.url;
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) {
    for (const auto& [name, value] : added) {
      if (url.find(name + "=") != std::string::npos) continue;
      url += url.find('?') == std::string::npos ? '?' : '&';
      url += name + "=" + percent_encode(value);
    }
    return url;
  }
  for (const auto& [name, value] : added) {
    if (url.find(name + "=") != std::string::npos) continue;
    std::string quoted;
    for (const char c : value) {
      if (c == '\\' || c == '\'') quoted += '\\';
      quoted += c;
    }
    url += " " + name + "='" + quoted + "'";
  }
  return url;
}

struct Database::State {
  explicit State(DatabaseOptions the_options)
      : options(std::move(the_options)), connection(connection_string(options)) {}

  const DatabaseOptions options;
  const std::string connection;
  std::mutex mutex;  // guards idle and open
  std::condition_variable returned;
  std::vector<std::unique_ptr<Session>> idle;
  int open = 0;  // idle and in use

  std::unique_ptr<Session> make() const { return std::make_unique<Session>(connection, options.watch); }

  // An idle session, or null as the leave to make one.
  std::unique_ptr<Session> check_out() {
    while (true) {
      std::unique_ptr<Session> session = take();
      if (!session || session->is_usable_at_rest()) return session;
      give_back(std::move(session));
    }
  }

  std::unique_ptr<Session> take() {
    std::unique_lock lock(mutex);
    const bool free =
        returned.wait_for(lock, options.checkout_timeout, [&] { return !idle.empty() || open < options.pool; });
    if (!free) throw Unavailable("no database connection became free in time", false);
    if (idle.empty()) {
      ++open;
      return nullptr;
    }
    std::unique_ptr<Session> session = std::move(idle.back());
    idle.pop_back();
    return session;
  }

  void give_back(std::unique_ptr<Session> session) {
    {
      const std::lock_guard lock(mutex);
      if (session && session->is_usable_at_rest()) {
        idle.push_back(std::move(session));
      } else {
        // One broken connection usually means that the server went away, and all others with it.
        --open;
        open -= static_cast<int>(idle.size());
        idle.clear();
      }
    }
    returned.notify_all();
  }
};

Database::Database(DatabaseOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Database::~Database() = default;

void Database::with_session(const std::function<void(Session&)>& work) {
  std::unique_ptr<Session> session = state_->check_out();
  try {
    if (!session) session = state_->make();
    work(*session);
  } catch (...) {
    state_->give_back(std::move(session));
    throw;
  }
  state_->give_back(std::move(session));
}

std::unique_ptr<Session> Database::connect() const {
  return state_->make();
}
const DatabaseOptions& Database::options() const {
  return state_->options;
}

}  // namespace courant::sql
