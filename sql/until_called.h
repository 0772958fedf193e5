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

// start: is given the call, a void() that can be copied. go_on: is given what continues the coroutine, a void() that
// can be copied, too, and its executor, on which it has to be run, later.
template <class Start, class GoOn>
boost::asio::awaitable<void> until_called(Start start, GoOn go_on) {
  namespace asio = boost::asio;
  auto initiate = [start = std::move(start), go_on = std::move(go_on)](auto handler) mutable {
    // The handler is move-only, std::function is not: it travels by shared_ptr.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start([shared, go_on] { go_on([shared] { (*shared)(); }, asio::get_associated_executor(*shared)); });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate), asio::use_awaitable);
}

template <class Start>
boost::asio::awaitable<void> until_called(Start start) {
  const auto post = [](auto work, const auto& executor) { boost::asio::post(executor, std::move(work)); };
  return until_called(std::move(start), post);
}

}  // namespace courant::sql
