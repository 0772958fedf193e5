// Looks names up without making anybody wait: a lookup takes as long as somebody's name server wants, so each has a
// thread of its own, which outlives whoever has lost patience. What was found is known for a minute.
// Specification: RFC 6761 section 6.3 (localhost).
// Threads: that of the io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "kernel/time.h"

namespace courant::http {

class Lookup {
 public:
  struct Found {
    std::vector<boost::asio::ip::tcp::endpoint> addresses;  // with port 0, in the order in which they are to be tried
    std::string failure;                                    // why there is none
  };
  using Done = std::function<void(const Found&)>;

  explicit Lookup(boost::asio::io_context& io);
  ~Lookup();  // whoever waits is not told any more
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  // Those who ask for the same name at the same time share a lookup. False: too many are under way; `done` is never
  // called.
  bool find(const std::string& name, Done done);
  // Nobody could be reached at what was found: the next who asks makes a lookup of its own.
  void forget(const std::string& name);

 private:
  struct Known {
    Found found;
    Ticks until;
  };
  class Inbox;

  void tell(const std::string& name, Found found);

  const std::shared_ptr<Inbox> inbox_;
  std::unordered_map<std::string, std::vector<Done>> waiting_;  // by name that is being looked up
  std::unordered_map<std::string, Known> known_;
};

}  // namespace courant::http
