#include "tests/fuzz/connection.h"

#include <cstdlib>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "http/connection.h"
#include "http/router.h"

namespace courant::fuzz {
namespace {

namespace asio = boost::asio;
using namespace http;

void add_routes(Router& router) {
  router.add({.pattern = "/a/{name}",
              .method = Method::kGet,
              .answer = nullptr,
              .answer_at_once =
                  [](const Request& request, const PathArguments& arguments) {
                    Response response = text_response(200, "text/plain", arguments[0] + std::string(request.query));
                    response.holds = [] { return true; };
                    return std::optional(std::move(response));
                  },
              .admit = nullptr});
  router.add({.pattern = "/a/{name}",
              .method = Method::kPost,
              .answer = [](const Request& request, const PathArguments&) -> Task<Response> {
                const auto executor = co_await asio::this_coro::executor;
                const auto token = asio::use_awaitable;
                co_await asio::post(executor, token);
                co_return text_response(201, "text/plain", request.body);
              },
              .answer_at_once = nullptr,
              .admit = [](const Request&, const PathArguments&) { return std::uint64_t{1000}; }});
  router.add({.pattern = "/stream",
              .method = Method::kGet,
              .answer = nullptr,
              .answer_at_once =
                  [](const Request&, const PathArguments&) {
                    Response response;
                    response.more = [left = 3]() mutable -> Task<Bytes> {
                      co_return left-- > 0 ? make_bytes("piece") : nullptr;
                    };
                    return std::optional(std::move(response));
                  },
              .admit = nullptr});
}

struct Server {
  Server() { add_routes(router); }

  Router router;
  ServerOptions options;
  Metrics metrics;
  ServerMetrics server_metrics{metrics};
  HostPolicy hosts{"http://localhost", {}, {"localhost"}};
  ConnectionContext context{options, router, hosts, server_metrics, std::chrono::steady_clock::now(), "Date: now\r\n"};
};

void drain(int socket, std::string& into) {
  char piece[16384];
  for (;;) {
    const ssize_t count = ::recv(socket, piece, sizeof piece, MSG_DONTWAIT);
    if (count <= 0) return;
    into.append(piece, static_cast<std::size_t>(count));
  }
}

}  // namespace

std::string converse(std::string_view bytes) {
  static Server server;
  if (bytes.empty()) return {};
  const std::size_t length = 1 + static_cast<unsigned char>(bytes.front()) * 4U;
  bytes.remove_prefix(1);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  std::string said;
  bool is_over = false;
  {
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    socket.assign(asio::ip::tcp::v4(), ends[0]);
    Connection connection(std::move(socket), nullptr, server.context);
    asio::co_spawn(io, connection.serve(), [&](const std::exception_ptr&) { is_over = true; });
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, length);
      if (::send(ends[1], piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) break;
      bytes.remove_prefix(piece.size());
      io.restart();
      io.poll();
      drain(ends[1], said);
    }
    ::shutdown(ends[1], SHUT_WR);
    for (int i = 0; i < 100 && !is_over; ++i) {
      io.restart();
      io.poll();
      drain(ends[1], said);
    }
    if (!is_over) std::abort();
  }
  ::close(ends[1]);
  return said;
}

}  // namespace courant::fuzz
