#include "sql/listener.h"

#include <pqxx/pqxx>

#include "sql/connect.h"
#include "sql/errors.h"
#include "sql/watch.h"

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
  State(const std::string& url, const std::string& channel, const std::shared_ptr<Watch>& watch)
      : connection(url), socket(socket_of(watch, connection.sock())) {
    const WatchedSocket::Waiting waiting(*socket);
    receiver.emplace(connection, channel);
    // libpqxx does not say so.
    if (!connection.is_open()) throw Unavailable("the listening connection was lost", false);
  }
  ~State() {
    const WatchedSocket::Waiting waiting(*socket);
    receiver.reset();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  pqxx::connection connection;
  const std::shared_ptr<WatchedSocket> socket;  // of the connection
  std::optional<Receiver> receiver;             // says `listen` when it is made and `unlisten` when it ends
};

Listener::Listener(const DatabaseOptions& options, const std::string& channel) {
  try {
    DatabaseOptions direct = options;
    if (!options.listen_url.empty()) direct.url = options.listen_url;
    state_ = std::make_unique<State>(connection_string(direct), channel, options.watch);
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
  return std::exchange(state_->receiver->heard, {});
}

void Listener::notify(const std::string& channel, const std::string& payload) {
  try {
    const WatchedSocket::Waiting waiting(*state_->socket);
    pqxx::nontransaction autocommit(state_->connection);
    // What is said may be lost: its commit need not wait for the disk.
    autocommit.exec_params("select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)", channel, payload);
  } catch (...) {
    rethrow_translated(true);
  }
}

}  // namespace courant::sql
