#include "http/exchange.h"

#include <exception>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "http/gzip.h"

namespace courant::http {
namespace {

Request packed(std::string body) {
  Request request;
  request.headers.emplace_back("content-encoding", "gzip");
  request.body = std::move(body);
  return request;
}

// Takes the coding off, on a thread where others are ready all the time. How often they had their turn meanwhile.
int take_off(Request& request, std::uint64_t limit) {
  boost::asio::io_context io;
  bool is_over = false;
  std::exception_ptr failed;
  boost::asio::co_spawn(io, take_off_coding(request, limit), [&](const std::exception_ptr& failure) {
    failed = failure;
    is_over = true;
  });
  int turns = 0;
  std::function<void()> another = [&] {
    if (is_over) return;
    ++turns;
    boost::asio::post(io, another);
  };
  boost::asio::post(io, another);
  io.run();
  if (failed) std::rethrow_exception(failed);
  return turns;
}

TEST(Exchange, ABodyIsInflatedInPortionsBetweenWhichOthersHaveTheirTurn) {
  const std::string plain(16 << 20, 'x');
  Request request = packed(gzip(plain));
  ASSERT_LT(request.body.size(), 20'000U) << "what is short inflates to much";
  EXPECT_GT(take_off(request, plain.size()), 100);
  EXPECT_EQ(request.body, plain);
  Request small = packed(gzip("x"));
  EXPECT_LE(take_off(small, 1), 1) << "what is small waits for nobody";
  EXPECT_EQ(small.body, "x");
}

TEST(Exchange, ABodyThatInflatesToTooMuchOrIsBrokenIsRefused) {
  const auto status_of = [](std::string body, std::uint64_t limit) {
    Request request = packed(std::move(body));
    try {
      take_off(request, limit);
    } catch (const Problem& problem) {
      return problem.status();
    }
    return 200;
  };
  const std::string plain(1 << 20, 'x');
  EXPECT_EQ(status_of(gzip(plain), plain.size() - 1), 413);
  EXPECT_EQ(status_of(gzip(plain).substr(0, 500), plain.size()), 400);
  EXPECT_EQ(status_of(gzip(plain) + "x", plain.size()), 400);
  EXPECT_EQ(status_of("no gzip", 100), 400);
  EXPECT_EQ(status_of("", 100), 400);
}

}  // namespace
}  // namespace courant::http
