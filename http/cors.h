// Which web pages of other origins may read answers, and the fields by which their browsers are told (CORS).
// Credentials are never asked for: a page that has a token sends it in Authorization itself.
// Specification: the Fetch standard, sections "CORS protocol" and "`Origin` header".
// Threads: pure functions and plain values.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "kernel/result.h"

namespace courant::http {

// Why this is no origin as browsers write it in their Origin fields, in a sentence without the final stop; nullopt: it
// is one, or "*".
std::optional<Fault> fault_of_origin(std::string_view text);

// Origins whose pages may read, or all of them ("*").
class Origins {
 public:
  Origins() = default;
  explicit Origins(const std::vector<std::string>& list);

  void add(const Origins& others);
  bool is_any() const { return is_any_; }
  bool has(std::string_view origin) const { return is_any_ || listed_.contains(origin); }
  bool operator==(const Origins&) const = default;

 private:
  bool is_any_ = false;
  std::set<std::string, std::less<>> listed_;
};

// What a request says that it comes from; nullopt: from no page, or it says more than one thing.
std::optional<std::string_view> origin_of(const Request& request);

// Whether a browser asks whether a page may read: OPTIONS for GET or HEAD (a preflight).
bool asks_to_read(const Request& request);

// Lets pages read the answer, with the fields that readers of feeds go by. whose: an origin, or "*".
void let_read(Response& response, std::string_view whose);

// Says in answer to a preflight that pages may read, and which fields they may send for it.
void let_ask(Response& response, std::string_view whose);

}  // namespace courant::http
