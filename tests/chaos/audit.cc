#include "tests/chaos/audit.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "archive/verification.h"
#include "kernel/uri.h"
#include "tests/chaos/judgement.h"
#include "tests/chaos/reader.h"
#include "tests/support/process.h"
#include "tests/support/program.h"
#include "tests/support/wait_until.h"

namespace courant::chaos {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 4;

using Made = std::pair<int, int>;  // publisher and number

std::string name_of(const Operation& operation) {
  const char* const kinds[] = {"the entry ", "the revision of ", "the deletion of "};
  const std::string id = operation.id.empty() ? "without an id" : operation.id;
  return kinds[static_cast<int>(operation.kind)] + id + " in " + feed_path(operation.feed);
}

// What publishers have done, by feed; only read.
class Sent {
 public:
  Sent(const Ledger& ledger, int feeds) : ledger_(ledger), by_feed_(static_cast<std::size_t>(feeds)) {
    for (int publisher = 0; publisher < static_cast<int>(ledger.size()); ++publisher) {
      const std::vector<Operation>& all = ledger[static_cast<std::size_t>(publisher)];
      for (int number = 0; number < static_cast<int>(all.size()); ++number) {
        const Operation& operation = all[static_cast<std::size_t>(number)];
        by_feed_[static_cast<std::size_t>(operation.feed)].emplace_back(publisher, number);
        if (operation.kind == Kind::kDeletion) deletions_[operation.id] = {publisher, number};
      }
    }
  }

  const std::vector<Made>& of_feed(int feed) const { return by_feed_[static_cast<std::size_t>(feed)]; }
  const Operation& at(Made place) const {
    return ledger_[static_cast<std::size_t>(place.first)][static_cast<std::size_t>(place.second)];
  }
  // Who has sent what a record shows; nullopt: nobody.
  std::optional<Made> find(const Record& record) const {
    if (record.is_deletion) {
      const auto found = deletions_.find(record.id);
      return found == deletions_.end() ? std::nullopt : std::optional(found->second);
    }
    const std::optional<Author> author = author_of(record.content);
    if (!author || author->publisher >= static_cast<int>(ledger_.size())) return std::nullopt;
    const std::vector<Operation>& his = ledger_[static_cast<std::size_t>(author->publisher)];
    if (author->number >= static_cast<int>(his.size())) return std::nullopt;
    return Made{author->publisher, author->number};
  }

 private:
  const Ledger& ledger_;
  std::vector<std::vector<Made>> by_feed_;
  std::map<std::string, Made> deletions_;
};

// The audit of one feed after the other; one for each thread.
class Auditor {
 public:
  Auditor(Ports ports, const Sent& sent, Findings& findings)
      : sent_(sent), findings_(findings), caller_(ports, std::chrono::seconds(60)) {}

  // The feed's last position; -1: it cannot be read.
  std::int64_t read(int feed, std::atomic<std::int64_t>& doubtful) {
    std::map<Made, std::int64_t> seen;
    std::string target = feed_path(feed) + "?marker=0&direction=forward&limit=1000";
    std::int64_t position = 0;
    for (;;) {
      const std::optional<test::Reply> reply = get(target);
      if (reply && reply->status == 404 && position == 0) break;
      const std::optional<Page> page = reply && reply->status == 200 ? read_page(reply->body) : std::nullopt;
      if (!page) {
        findings_.add("after the chaos " + target + " is " + (reply ? std::to_string(reply->status) : "not answered"));
        return -1;
      }
      if (page->records.empty()) break;
      position = follow(*page, position, target, findings_);
      for (const Record& record : page->records) hold(feed, record, seen);
      target = page->previous;
    }
    for (const Made& place : sent_.of_feed(feed)) {
      const auto found = seen.find(place);
      const Operation& operation = sent_.at(place);
      const auto fault = fault_of(operation, found == seen.end() ? std::nullopt : std::optional(found->second));
      if (fault) findings_.add(name_of(operation) + " " + *fault);
      if (operation.state == Operation::State::kUnsettled && found != seen.end()) ++doubtful;
    }
    for (int server = 0; server < 2 && position > 0; ++server) look_at_head(server, feed, position);
    return position;
  }

  // From the archive and what follows it, each document from another server. Whether leaves and chain hold.
  bool verify(int feed, std::int64_t head) {
    const auto fetch = [this](const std::string& url) -> Result<std::string> {
      const std::optional<Uri> uri = parse_uri(url);
      const std::string target = uri->path + (uri->query ? "?" + *uri->query : "");
      const std::optional<test::Reply> reply = get(target);
      if (reply && reply->status == 200) return reply->body;
      return Fault{target + " is " + (reply ? std::to_string(reply->status) : "not answered")};
    };
    const auto report = archive::verify_feed("http://localhost" + feed_path(feed), std::nullopt, fetch,
                                             [](std::int64_t, std::int64_t) {});
    if (!report) {
      findings_.add(feed_path(feed) + " does not verify: " + report.fault().detail);
      return false;
    }
    if (report->verified.position == head && report->verified.generation == 1) return true;
    findings_.add(feed_path(feed) + " verifies up to " + std::to_string(report->verified.position) + " of " +
                  std::to_string(head) + " in generation " + std::to_string(report->verified.generation));
    return false;
  }

 private:
  // From one server after the other. Right after an outage a reader may still be told to come again.
  std::optional<test::Reply> get(const std::string& target) {
    std::optional<test::Reply> reply;
    const auto is_answered = [&] {
      server_ = 1 - server_;
      reply = caller_.ask(server_, {"GET", target});
      return !is_doubtful(reply);
    };
    test::wait_until(is_answered, test::kPatience, 50ms);
    return reply;
  }

  void hold(int feed, const Record& record, std::map<Made, std::int64_t>& seen) {
    const std::string where = feed_path(feed) + " at position " + std::to_string(record.position);
    const std::optional<Made> place = sent_.find(record);
    if (!place) return findings_.add(where + " shows what nobody sent: " + record.id + " " + record.content);
    const Operation& operation = sent_.at(*place);
    const auto [first, is_first] = seen.emplace(*place, record.position);
    if (!is_first) {
      findings_.add(where + " shows again " + name_of(operation) + " of position " + std::to_string(first->second));
    }
    if (operation.feed != feed || (!operation.id.empty() && operation.id != record.id)) {
      findings_.add(where + " shows " + record.id + " where nobody sent it: " + name_of(operation));
    }
  }

  void look_at_head(int server, int feed, std::int64_t position) {
    std::optional<test::Reply> reply = caller_.ask(server, {"GET", feed_path(feed)});
    if (is_doubtful(reply)) reply = caller_.ask(server, {"GET", feed_path(feed)});
    if (reply && reply->status == 200 && number_of(*reply, "Feed-Position") == position) return;
    findings_.add("the head of " + feed_path(feed) + " on server " + (server == 0 ? "A" : "B") + " is not at " +
                  std::to_string(position));
  }

  const Sent& sent_;
  Findings& findings_;
  Caller caller_;
  int server_ = 0;
};

}  // namespace

Audited audit(Ports ports, int feeds, const Ledger& ledger, Findings& findings) {
  const Sent sent(ledger, feeds);
  Audited audited;
  audited.heads.resize(static_cast<std::size_t>(feeds));
  std::atomic<int> next{0};
  std::atomic<std::int64_t> positions{0}, doubtful{0}, verified{0};
  const auto work = [&] {
    Auditor auditor(ports, sent, findings);
    for (int feed = next++; feed < feeds; feed = next++) {
      const std::int64_t head = auditor.read(feed, doubtful);
      audited.heads[static_cast<std::size_t>(feed)] = head;
      if (head <= 0) continue;
      positions += head;
      if (auditor.verify(feed, head)) ++verified;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  audited.positions = positions;
  audited.doubtful = doubtful;
  audited.verified = verified;
  return audited;
}

void run_verify(Ports ports, int feed, const std::string& work, Findings& findings) {
  for (const int port : ports) {
    const std::string url = "http://127.0.0.1:" + std::to_string(port) + feed_path(feed);
    const std::string log = work + "/verify.log";
    test::Process verify({test::courant_program(), "verify", url, "--state", work + "/verified.json"}, log);
    if (const int status = verify.wait(); status != 0) {
      findings.add("courant verify " + url + " ends with status " + std::to_string(status) + ", see " + log);
    }
  }
}

}  // namespace courant::chaos
