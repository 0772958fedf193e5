// Answers that are given again to requests that come again byte for byte, as those of polling readers do: nothing of
// such a request is parsed and nothing of its answer composed while Response::holds says that it still holds.
// Threads: each io thread has its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/tally.h"

namespace courant::http {

class AnswerMemo {
 public:
  AnswerMemo();

  struct Known {
    std::string_view before_date;  // valid until the memo's next call
    std::string_view after_date;
    Bytes body;                       // null: none
    Tally::Series* series = nullptr;  // that the request counts in

    void append_head_to(std::string& out, std::string_view date_line) const {
      out.append(before_date).append(date_line).append(after_date);
    }
  };
  // nullopt: none is kept, or it does not hold any more.
  // revision: Handler::revision; what was kept under another one does not hold.
  std::optional<Known> find(std::string_view request_head, std::uint64_t revision);

  // Keeps an answer that says `holds`, where the request has come before; the connection stays open behind it. Bodies
  // are kept as long as somebody else does. revision: from before the answer was stamped. series: of this thread, what
  // the request counts in.
  void keep(std::string_view request_head, const Response& response, bool has_body, std::uint64_t revision,
            Tally::Series* series = nullptr);

 private:
  struct Slot {
    std::size_t hash = 0;  // of the last request that met this slot
    std::uint64_t revision = 0;
    std::string request;  // empty: it was seen once
    std::string before_date;
    std::string after_date;
    bool has_body = false;
    Tally::Series* series = nullptr;
    std::weak_ptr<const std::string> body;
    std::function<bool()> holds;
  };
  std::vector<Slot> slots_;  // by hash: two requests that meet in one displace each other
};

}  // namespace courant::http
