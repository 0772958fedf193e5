// Topics of which nothing is known, for tests of the hub that care for some of the questions alone.
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/seam.h"

namespace courant::test {

class NoTopics : public hub::TopicSource {
 public:
  std::optional<hub::Topic> find(sql::Session&, const std::string&) override { return std::nullopt; }
  std::int64_t position(sql::Session&, const hub::Topic&) override { return 0; }
  std::int64_t known_position(std::int64_t, std::int64_t) override { return 0; }
  std::vector<std::string> required_terms(const hub::Topic&) override { return {}; }
  hub::NewTerms new_terms(sql::Session&, std::int64_t, std::int64_t, std::int64_t from) override { return {from, {}}; }
  std::optional<hub::PushDocument> read(sql::Session&, const hub::Topic&, const std::string&, std::int64_t,
                                        std::int64_t, const hub::PushLimits&) override {
    return std::nullopt;
  }
  std::vector<std::optional<Instant>> first_after(sql::Session&, const std::vector<hub::LogPlace>& places) override {
    return std::vector<std::optional<Instant>>(places.size());
  }
};

}  // namespace courant::test
