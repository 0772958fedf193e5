// libcurl as a carrier: https, HTTP/2, proxies, and whatever else a URL may ask for.
// Threads: the worker's thread alone.
#pragma once

#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

#include "http/carrier.h"
#include "http/multi.h"
#include "http/transfer.h"

namespace courant::http {

class CurlCarrier final : public Carrier {
 public:
  // options: outlive this. Throws std::runtime_error where libcurl cannot be had.
  CurlCarrier(boost::asio::io_context& io, const ClientOptions& options, Ended ended);
  ~CurlCarrier() override;

  void begin(std::unique_ptr<Errand> errand) override;
  void end_all() override;

 private:
  void watch();
  void work();
  void plan();

  const ClientOptions& options_;
  const Ended ended_;
  Multi multi_;
  boost::asio::posix::stream_descriptor ready_;  // multi_'s own descriptor
  boost::asio::steady_timer timer_;
  std::optional<Ticks> planned_;  // when the timer fires
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> under_way_;
};

}  // namespace courant::http
