// A server with a handful of routes, for tests of what carries them.
// Threads: the test's; the routes run on the server's.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "http/router.h"
#include "http/server.h"
#include "tests/support/raw_client.h"
#include "tests/support/sanitized.h"
#include "tests/support/wait_until.h"

namespace courant::http {

class Served : public testing::Test {
 protected:
  Served() {
    router_.add({.pattern = "/demo/{name}",
                 .method = Method::kGet,
                 .answer = nullptr,
                 .answer_at_once =
                     [](const Request& request, const PathArguments& arguments) {
                       return std::optional(
                           text_response(200, "text/plain", arguments[0] + "?" + std::string(request.query)));
                     },
                 .admit = nullptr});
    router_.add({.pattern = "/demo/{name}",
                 .method = Method::kPost,
                 .answer = [](const Request& request, const PathArguments&) -> Task<Response> {
                   if (request.body == "bug") throw std::runtime_error("secret words");
                   co_return text_response(201, "text/plain", request.body);
                 },
                 .answer_at_once = nullptr,
                 .admit = [](const Request&, const PathArguments&) { return std::uint64_t{100}; }});
    router_.add({.pattern = "/large",
                 .method = Method::kPost,
                 .answer = [](const Request&, const PathArguments&) -> Task<Response> {
                   co_return text_response(201, "text/plain", "taken");
                 },
                 .answer_at_once = nullptr,
                 .admit = [](const Request&, const PathArguments&) { return std::uint64_t{2 << 20}; }});
    router_.add({.pattern = "/long",
                 .method = Method::kGet,
                 .answer = nullptr,
                 .answer_at_once =
                     [](const Request&, const PathArguments&) {
                       return std::optional(text_response(200, "text/plain", std::string(kLong, 'x')));
                     },
                 .admit = nullptr});
    router_.add({.pattern = "/pieces/{count}",
                 .method = Method::kGet,
                 .answer = nullptr,
                 .answer_at_once =
                     [](const Request&, const PathArguments& arguments) {
                       Response response = text_response(200, "text/plain", "0");
                       response.content_length = 1 + 3 * kPiece;
                       response.more = [left = std::stoi(arguments[0])]() mutable -> Task<Bytes> {
                         if (left-- == 0) return nothing();
                         return piece(static_cast<char>('a' + left));
                       };
                       return std::optional(std::move(response));
                     },
                 .admit = nullptr});
    router_.add({.pattern = "/held",
                 .method = Method::kGet,
                 .answer = [this](const Request&, const PathArguments&) -> Task<Response> {
                   const auto executor = co_await boost::asio::this_coro::executor;
                   boost::asio::steady_timer timer(executor);
                   while (!released_) {
                     timer.expires_after(std::chrono::milliseconds(5));
                     co_await timer.async_wait(boost::asio::use_awaitable);
                   }
                   co_return text_response(200, "text/plain", "late");
                 },
                 .answer_at_once = nullptr,
                 .admit = nullptr});
    router_.add({.pattern = "/stream/{count}",
                 .method = Method::kGet,
                 .answer = nullptr,
                 .answer_at_once =
                     [](const Request&, const PathArguments& arguments) {
                       Response response;
                       response.more = [left = std::stoi(arguments[0])]() mutable -> Task<Bytes> {
                         if (left-- == 0) return nothing();
                         return piece(static_cast<char>('a' + left));
                       };
                       return std::optional(std::move(response));
                     },
                 .admit = nullptr});
    router_.add({.pattern = "/watched",
                 .method = Method::kGet,
                 .answer = [this](const Request& request, const PathArguments&) -> Task<Response> {
                   const auto executor = co_await boost::asio::this_coro::executor;
                   boost::asio::steady_timer timer(executor, std::chrono::seconds(60));
                   request.presence->watch([this, &timer] {
                     ++gone_;
                     timer.cancel();
                   });
                   ++watched_;
                   const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
                   co_await timer.async_wait(token);
                   co_return text_response(200, "text/plain", "gone");
                 },
                 .answer_at_once = nullptr,
                 .admit = nullptr});
    options_.listen = {"127.0.0.1:0"};
    options_.threads = 2;
    options_.public_url = "http://feeds.example:8080";
    options_.header_timeout = kSlower * std::chrono::milliseconds(200);
    options_.body_timeout = kSlower * std::chrono::milliseconds(200);
    options_.idle_timeout = kSlower * std::chrono::milliseconds(600);
    options_.write_timeout = kSlower * std::chrono::seconds(1);
  }

  void serve(const TlsContext* tls = nullptr) {
    server_ = std::make_unique<Server>(options_, router_, metrics_, tls);
    const Result<bool> started = server_->start();
    ASSERT_TRUE(started) << started.fault().detail;
  }

  std::string ask(std::string_view bytes) {
    test::RawClient client(server_->ports()[0]);
    client.send(bytes);
    return client.read_all();
  }

  std::string status_of(std::string_view bytes) { return ask(bytes).substr(9, 3); }

  static Task<Bytes> piece(char letter) { co_return make_bytes(std::string(kPiece, letter)); }
  static Task<Bytes> nothing() { co_return nullptr; }

  // A client that a sanitizer slows down is not to seem idle.
  static constexpr int kSlower = test::kIsSanitized ? 5 : 1;
  static constexpr std::size_t kLong = 24 << 20;
  static constexpr std::size_t kPiece = 300'000;
  ServerOptions options_;
  Metrics metrics_;
  Router router_;
  // Waits until so many clients of /watched were there and so many of them are known to have gone.
  void wait_for(int watched, int gone) const {
    ASSERT_TRUE(test::wait_until([&] { return watched_ >= watched && gone_ >= gone; }));
  }

  std::atomic<bool> released_{false};
  std::atomic<int> watched_{0};
  std::atomic<int> gone_{0};
  std::unique_ptr<Server> server_;
};

}  // namespace courant::http
