// One publisher of a chaos run: publishes, edits and deletes on random feeds through random servers. What is in doubt
// he sends again, the same bytes to either server, until it is answered; every answer is held against what it may be.
// Threads: run() on one of its own; ledger() when it has ended.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/caller.h"
#include "tests/chaos/findings.h"
#include "tests/chaos/operations.h"

namespace courant::chaos {

struct PublisherOptions {
  int number = 0;
  std::uint32_t seed = 0;
  int feeds = 0;
  Ports ports{};
  std::chrono::seconds last_patience{60};  // for settling what is in doubt when publishing is over
};

class Publisher {
 public:
  Publisher(PublisherOptions options, const std::atomic<bool>& is_over, Findings& findings, Counts& counts);

  // Until it is over and what he sent is answered.
  void run();
  const std::vector<Operation>& ledger() const { return ledger_; }

 private:
  // An entry of his own that he may still change. Where he does not know any more what may still come of earlier tries
  // he leaves it alone.
  struct Own {
    int feed = 0;
    std::string id;
    std::int64_t position = 0;
  };
  struct Settled {
    test::Reply reply;
    int server = 0;
    bool was_in_doubt = false;
  };

  void publish_one(bool has_id);
  void publish_to_both();
  void publish_expecting();
  void publish_batch();
  void publish_bad_batch();
  void revise();
  void remove();

  int random(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  int choose_feed();
  int begin(Kind kind, int feed, std::string id);  // a new line of the ledger
  std::string fresh_id(int number) const;
  std::optional<Settled> settle(const Ask& ask);
  void answered(int number, std::int64_t position, const std::string& id);
  void unexpected(const Ask& ask, const Settled& settled);
  void keep(int feed, const std::string& id, std::int64_t position);
  std::optional<std::int64_t> find_own(const Own& own, int number);
  Own take_own();
  void look_at_head(int server, int feed, std::int64_t position);

  const PublisherOptions options_;
  const std::atomic<bool>& is_over_;
  Findings& findings_;
  Counts& counts_;
  std::mt19937 random_;
  Caller caller_;
  std::vector<Operation> ledger_;
  std::vector<Own> own_;
  // Of the head of a feed that he has seen: its entity tag and position.
  std::map<int, std::pair<std::string, std::int64_t>> tags_;
};

}  // namespace courant::chaos
