// Opens a connection to one of several addresses, of which one may lead nowhere without saying so: the next is tried
// where the one before it fails or takes long, beside it.
// Specification: RFC 8305 section 5.
// Threads: that of the io_context.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace courant::http {

class Dialing : public std::enable_shared_from_this<Dialing> {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Endpoint = boost::asio::ip::tcp::endpoint;
  // Asked before a connection is opened; false: not to this address.
  using May = std::function<bool(const Endpoint&)>;
  // The connection, or why there is none: no address might be called (`opened` is 0), or none answered.
  struct Result {
    std::optional<Socket> socket;
    std::size_t opened = 0;
    std::string failure;
  };
  using Done = std::function<void(Result)>;

  Dialing(boost::asio::io_context& io, std::vector<Endpoint> addresses, May may, Done done);

  // Once. `done` is called once, perhaps before this returns.
  void start();
  // `done` is not called any more.
  void stop();

 private:
  void open_next();
  void opened(const std::shared_ptr<Socket>& socket, const boost::system::error_code& error);
  void finish(std::optional<Socket> socket);

  boost::asio::io_context& io_;
  const std::vector<Endpoint> addresses_;
  const May may_;
  Done done_;  // null: it was called, or is not wanted any more
  std::size_t next_ = 0;
  std::size_t opened_ = 0;
  std::string failure_;
  std::vector<std::shared_ptr<Socket>> under_way_;
  boost::asio::steady_timer timer_;  // until the next address is tried beside the others
};

}  // namespace courant::http
