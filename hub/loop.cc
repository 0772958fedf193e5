#include "hub/loop.h"

#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "kernel/log.h"

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
  const auto initiate = [&transport, &request, reply](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto own = asio::get_associated_executor(*shared);
    transport.send(std::move(request), [shared, own, reply](http::ClientReply answer) {
      *reply = std::move(answer);
      asio::post(own, [shared] { (*shared)(); });
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
  co_return std::move(*reply);
}

}  // namespace courant::hub
