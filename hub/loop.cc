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

http::Task<http::ClientReply> Loop::send(http::ClientRequest request) {
  return hub::send(transport, std::move(request));
}

http::Task<http::ClientReply> send(Transport& transport, http::ClientRequest request) {
  auto reply = std::make_shared<http::ClientReply>();
  const auto start = [&transport, &request, reply](auto call) {
    transport.send(std::move(request), [call, reply](http::ClientReply answer) {
      *reply = std::move(answer);
      call();
    });
  };
  co_await sql::until_called(start);
  co_return std::move(*reply);
}

}  // namespace courant::hub
