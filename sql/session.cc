#include <set>

#include <poll.h>
#include <pqxx/pqxx>

#include "sql/connect.h"
#include "sql/database.h"
#include "sql/errors.h"
#include "sql/watch.h"

namespace courant::sql {

struct Session::State {
  State(const std::string& url, const std::shared_ptr<Watch>& watch)
      : connection(url), socket(socket_of(watch, connection.sock())) {}

  // libpqxx would make another connection in place of one that was lost, and nobody would watch that.
  void require_connection() const {
    if (!connection.is_open()) throw Unavailable("the connection was lost", false);
  }

  void roll_back() {
    const WatchedSocket::Waiting waiting(*socket);
    transaction.reset();
  }

  pqxx::connection connection;
  const std::shared_ptr<WatchedSocket> socket;  // of the connection
  std::set<std::string, std::less<>> prepared;  // names of queries
  std::unique_ptr<pqxx::work> transaction;
  bool usable = true;
};

Session::Session(const std::string& url, const std::shared_ptr<Watch>& watch) {
  try {
    state_ = std::make_unique<State>(url, watch);
  } catch (...) {
    rethrow_translated(false);
  }
}

Session::~Session() = default;

Rows Session::run(const Query& query, const Parameters& parameters) {
  bool sent = false;
  try {
    State& state = *state_;
    state.require_connection();
    const WatchedSocket::Waiting waiting(*state.socket);
    if (!state.prepared.contains(query.name)) {
      state.connection.prepare(std::string(query.name), std::string(query.text));
      state.prepared.emplace(query.name);
    }
    // A null pointer is libpqxx's way to say null.
    std::vector<const char*> texts;
    for (const Parameters::Value& value : parameters.values()) {
      texts.push_back(value.is_null ? nullptr : value.data.c_str());
    }
    const auto invoke = [&](pqxx::transaction_base& transaction) {
      sent = true;
      return std::make_shared<const pqxx::result>(
          transaction.exec_prepared(std::string(query.name), pqxx::prepare::make_dynamic_params(texts)));
    };
    if (state.transaction) return Rows(invoke(*state.transaction));
    pqxx::nontransaction autocommit(state.connection);
    return Rows(invoke(autocommit));
  } catch (const pqxx::sql_error&) {
    state_->usable = state_->usable && state_->connection.is_open();
    rethrow_translated(sent);
  } catch (...) {
    state_->usable = false;
    rethrow_translated(sent);
  }
}

void Session::transaction(const std::function<void()>& work) {
  bool committing = false;
  try {
    state_->require_connection();
    {
      const WatchedSocket::Waiting waiting(*state_->socket);
      state_->transaction = std::make_unique<pqxx::work>(state_->connection);
    }
    work();
    committing = true;
    const WatchedSocket::Waiting waiting(*state_->socket);
    state_->transaction->commit();
    state_->transaction.reset();
  } catch (...) {
    state_->roll_back();
    state_->usable = state_->usable && state_->connection.is_open();
    rethrow_translated(committing);
  }
}

void Session::execute_script(std::string_view text) {
  try {
    state_->require_connection();
    const WatchedSocket::Waiting waiting(*state_->socket);
    if (state_->transaction) {
      state_->transaction->exec(std::string(text));
    } else {
      pqxx::nontransaction autocommit(state_->connection);
      autocommit.exec(std::string(text));
    }
  } catch (...) {
    state_->usable = state_->usable && state_->connection.is_open();
    rethrow_translated(true);
  }
}

void Session::cut() {
  state_->socket->give_up();
}

void Session::wait_without_end() {
  state_->socket->wait_without_end();
}

bool Session::is_usable() const {
  return state_->usable && state_->connection.is_open();
}

bool Session::is_usable_at_rest() const {
  if (!is_usable()) return false;
  pollfd socket{state_->connection.sock(), POLLIN, 0};
  return poll(&socket, 1, 0) == 0;
}

std::int64_t Session::backend_pid() const {
  return state_->connection.backendpid();
}

}  // namespace courant::sql
