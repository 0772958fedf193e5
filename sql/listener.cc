#include "sql/listener.h"

#include <pqxx/pqxx>

#include "sql/connect.h"
#include "sql/errors.h"

namespace courant::sql {
namespace {

class Receiver final : public pqxx::notification_receiver {
 public:
  Receiver(pqxx::connection_base& connection, const std::string& channel)
      : pqxx::notification_receiver(connection, channel) {}

  void operator()(const std::string& payload, int) override { heard.push_back({channel(), payload}); }

  std::vector<Notification> heard;
};

}  // namespace

struct Listener::State {
  State(const std::string& url, const std::string& channel) : connection(url), receiver(connection, channel) {}
  pqxx::connection connection;
  Receiver receiver;
};

Listener::Listener(const DatabaseOptions& options, const std::string& channel) {
  try {
    DatabaseOptions direct = options;
    if (!options.listen_url.empty()) direct.url = options.listen_url;
    state_ = std::make_unique<State>(connection_string(direct), channel);
  } catch (...) {
    rethrow_translated(false);
  }
}

Listener::~Listener() = default;

std::vector<Notification> Listener::wait(std::chrono::milliseconds timeout) {
  try {
    state_->connection.await_notification(static_cast<long>(timeout.count() / 1000),
                                          static_cast<long>(timeout.count() % 1000 * 1000));
  } catch (...) {
    rethrow_translated(false);
  }
  if (!state_->connection.is_open()) throw Unavailable("the listening connection was lost", false);
  return std::exchange(state_->receiver.heard, {});
}

void Listener::notify(const std::string& channel, const std::string& payload) {
  try {
    pqxx::nontransaction autocommit(state_->connection);
    // What is said may be lost: its commit need not wait for the disk.
    autocommit.exec_params("select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)", channel, payload);
  } catch (...) {
    rethrow_translated(true);
  }
}

}  // namespace courant::sql
