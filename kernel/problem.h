// Problem: a request that is over, thrown from anywhere below the router and turned into a reply in one
// place (RFC 9457). Its words go to the client: no SQL, paths, stack traces or exception texts.
// Threads: a plain value.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace courant {

// One failing entry of a batch.
struct EntryProblem {
  std::size_t index;  // from 0, in the order sent
  std::string id;     // its atom:id, or empty where it has none
  std::string title;
  std::string detail;
};

class Problem : public std::exception {
 public:
  // status: an HTTP status of 400 or above. detail: a sentence that names the thing and the rule.
  Problem(int status, std::string detail);

  // Adds a header field to the reply, such as Retry-After or Allow.
  Problem&& with(std::string name, std::string value) &&;
  Problem&& with_entries(std::vector<EntryProblem> entries) &&;

  int status() const { return status_; }
  const std::string& detail() const { return detail_; }
  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }
  const std::vector<EntryProblem>& entries() const { return entries_; }
  const char* what() const noexcept override { return detail_.c_str(); }

 private:
  int status_;
  std::string detail_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::vector<EntryProblem> entries_;
};

// The standard phrase of a status code ("Not Found"), for status lines and problem titles (RFC 9110 section 15).
std::string_view reason_phrase(int status);

}  // namespace courant
