#include "hub/loop.h"

#include <memory>

#include <boost/asio/co_spawn.hpp>

#include "kernel/log.h"
#include "sql/until_called.h"

namespace courant::hub {

namespace asio = boost::asio;

void Loop::start(http::Task<void> task, std::function<void()> then) {
  asio::co_spawn(io, std::move(task), [then = std::move(then)](const std::exception_ptr& error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      log_error("a task of the hub failed", {{"error", failure.what()}});
    }
    if (then) then();
  });
}

namespace {

// go_on: as for sql::until_called, none: the coroutine's executor.
template <class... GoOn>
http::Task<http::ClientReply> send_by(Transport& transport, http::ClientRequest request, GoOn... go_on) {
  auto reply = std::make_shared<http::ClientReply>();
  const auto start = [&transport, &request, reply](auto call) {
    transport.send(std::move(request), [call, reply](http::ClientReply answer) {
      *reply = std::move(answer);
      call();
    });
  };
  co_await sql::until_called(start, go_on...);
  co_return std::move(*reply);
}

}  // namespace

http::Task<http::ClientReply> Loop::send(http::ClientRequest request) {
  return send_by(transport, std::move(request), [this](auto work, const auto&) { inbox.put(std::move(work)); });
}

http::Task<http::ClientReply> send(Transport& transport, http::ClientRequest request) {
  return send_by(transport, std::move(request));
}

}  // namespace courant::hub
