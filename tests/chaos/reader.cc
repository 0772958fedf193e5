#include "tests/chaos/reader.h"

#include <algorithm>
#include <thread>

#include "tests/support/patience.h"

namespace courant::chaos {

Reader::Reader(Ports ports, std::uint32_t seed, std::vector<int> feeds, const std::atomic<bool>& is_over,
               Findings& findings, Counts& counts)
    : is_over_(is_over), findings_(findings), counts_(counts), random_(seed), caller_(ports, std::chrono::seconds(4)) {
  for (const int feed : feeds) followed_.push_back({feed, feed_path(feed) + "?marker=0&direction=forward&limit=100"});
}

void Reader::run() {
  while (!is_over_) {
    for (Followed& followed : followed_) read(followed);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void Reader::read(Followed& followed) {
  const std::optional<test::Reply> reply = caller_.ask(static_cast<int>(random_() % 2), {"GET", followed.next});
  if (is_doubtful(reply)) return;
  if (reply->status == 404 && followed.position == 0) return;  // nobody has published there yet
  const std::optional<Page> page = reply->status == 200 ? read_page(reply->body) : std::nullopt;
  if (!page) {
    findings_.add("GET " + followed.next + " is " + std::to_string(reply->status) +
                  " for a reader that followed: " + reply->body.substr(0, 200));
    return;
  }
  ++counts_.pages;
  followed.position = follow(*page, followed.position, followed.next, findings_);
  followed.next = page->previous;
}

Poller::Poller(Ports ports, int server, int feeds, const std::atomic<bool>& is_over, Findings& findings)
    : server_(server),
      is_over_(is_over),
      findings_(findings),
      caller_(ports, std::chrono::seconds(4)),
      seen_(static_cast<std::size_t>(feeds)) {}

void Poller::run() {
  for (int feed = 0; !is_over_; feed = (feed + 1) % static_cast<int>(seen_.size())) {
    poll(feed);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Poller::poll(int feed) {
  Seen& seen = seen_[static_cast<std::size_t>(feed)];
  Ask ask{"GET", feed_path(feed)};
  if (!seen.tag.empty()) ask.headers = "If-None-Match: " + seen.tag + "\r\n";
  const std::optional<test::Reply> reply = caller_.ask(server_, ask);
  if (is_doubtful(reply) || reply->status == 304 || (reply->status == 404 && seen.tag.empty())) return;
  const std::int64_t position = number_of(*reply, "Feed-Position");
  if (reply->status != 200 || position < seen.position) {
    findings_.add("the head of " + feed_path(feed) + " is " + std::to_string(reply->status) + " at position " +
                  std::to_string(position) + " on server " + (server_ == 0 ? "A" : "B") + ", which has shown " +
                  std::to_string(seen.position));
  }
  seen = {reply->header("ETag"), position};
}

void Poller::settle(const std::vector<std::int64_t>& heads) {
  const auto give_up = std::chrono::steady_clock::now() + test::kPatience;
  for (std::size_t feed = 0; feed < seen_.size(); ++feed) {
    while (heads[feed] > 0 && seen_[feed].position != heads[feed] && std::chrono::steady_clock::now() < give_up) {
      poll(static_cast<int>(feed));
    }
    if (heads[feed] <= 0 || seen_[feed].position == heads[feed]) continue;
    findings_.add(std::string("server ") + (server_ == 0 ? "A" : "B") + " says for ever that nothing of " +
                  feed_path(static_cast<int>(feed)) + " is newer than position " +
                  std::to_string(seen_[feed].position) + ", but its head is " + std::to_string(heads[feed]));
  }
}

std::int64_t follow(const Page& page, std::int64_t position, const std::string& where, Findings& findings) {
  std::vector<std::int64_t> positions;
  for (const Record& record : page.records) positions.push_back(record.position);
  std::sort(positions.begin(), positions.end());
  for (const std::int64_t shown : positions) {
    if (shown != ++position) {
      findings.add(where + " shows position " + std::to_string(shown) + " where " + std::to_string(position) +
                   " belongs");
      position = shown;
    }
  }
  return position;
}

}  // namespace courant::chaos
