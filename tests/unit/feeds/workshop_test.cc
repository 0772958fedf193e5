#include "feeds/workshop.h"

#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "kernel/problem.h"

namespace courant::feeds {
namespace {

namespace asio = boost::asio;

// Runs one coroutine to its end. The io_context outlives the workshop, whose thread may still be leaving it.
template <class Start>
auto result_of(asio::io_context& io, Start start) {
  auto future = asio::co_spawn(io, start, asio::use_future);
  io.run();
  return future.get();
}

TEST(Workshop, RunsWorkOnAnotherThreadAndComesBack) {
  asio::io_context io;
  Workshop workshop(2, 10);
  const auto work = [&workshop]() -> asio::awaitable<bool> {
    const std::thread::id here = std::this_thread::get_id();
    const auto where = [] { return std::this_thread::get_id(); };
    const std::thread::id there = co_await workshop.run(where);
    co_return there != here&& std::this_thread::get_id() == here;
  };
  EXPECT_TRUE(result_of(io, work));
}

TEST(Workshop, WhatIsThrownArrives) {
  asio::io_context io;
  Workshop workshop(1, 10);
  const auto work = [&workshop]() -> asio::awaitable<int> {
    const auto fails = []() -> int { throw std::runtime_error("as it was"); };
    const int never = co_await workshop.run(fails);
    co_return never;
  };
  EXPECT_THROW(result_of(io, work), std::runtime_error);
}

TEST(Workshop, WhatIsTooMuchIs503) {
  asio::io_context io;
  Workshop workshop(1, 1);
  std::promise<void> may_go_on;
  std::promise<void> begun;
  const auto wait_of_it = may_go_on.get_future().share();
  const auto run = [&workshop](auto work) -> asio::awaitable<int> {
    const int done = co_await workshop.run(work);
    co_return done;
  };
  const auto busy = [&begun, wait_of_it] {
    begun.set_value();
    wait_of_it.wait();
    return 1;
  };
  const auto idle = [] { return 2; };
  auto first = asio::co_spawn(io, run(busy), asio::use_future);
  io.poll();
  begun.get_future().wait();  // its thread has taken it: the queue is empty
  auto second = asio::co_spawn(io, run(idle), asio::use_future);
  auto third = asio::co_spawn(io, run(idle), asio::use_future);
  io.poll();
  may_go_on.set_value();
  io.restart();
  io.run();
  EXPECT_EQ(first.get(), 1);
  EXPECT_EQ(second.get(), 2);
  try {
    (void)third.get();
    FAIL();
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.status(), 503);
  }
}

TEST(Workshop, OneThatHasStoppedTakesNothing) {
  asio::io_context io;
  Workshop workshop(1, 10);
  workshop.stop();
  const auto work = [&workshop]() -> asio::awaitable<int> {
    const auto one = [] { return 1; };
    const int never = co_await workshop.run(one);
    co_return never;
  };
  EXPECT_THROW(result_of(io, work), Problem);
}

}  // namespace
}  // namespace courant::feeds
