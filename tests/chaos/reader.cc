#include "tests/chaos/reader.h"

#include <algorithm>
#include <thread>

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
