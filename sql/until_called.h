// How a coroutine waits for what other threads do: it goes on, on its own executor, once somebody has called.
//   co_await until_called([&](auto call) { queue.push(call); });
// Threads: started by a coroutine; the call may come from any thread, once, also before `start` has returned.
#pragma once

#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace courant::sql {

// start: is given the call, a void() that can be copied.
template <class Start>
boost::asio::awaitable<void> until_called(Start start) {
  namespace asio = boost::asio;
  auto initiate = [start = std::move(start)](auto handler) mutable {
    // The handler is move-only, std::function is not: it travels by shared_ptr.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start([shared] {
      auto executor = asio::get_associated_executor(*shared);
      asio::post(executor, [shared] { (*shared)(); });
    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate), asio::use_awaitable);
}

}  // namespace courant::sql
