#include "feeds/ready_page.h"

#include <algorithm>

#include "http/conditional.h"
#include "http/response_bytes.h"

namespace courant::feeds {
namespace {

// RFC 9110 section 15.4.5: what a 304 repeats of the 200; Link since readers of a feed steer by it.
bool is_for_304(const std::string& name) {
  return name == "ETag" || name == "Cache-Control" || name == "Expires" || name == "Vary" || name == "Link" ||
         name == "Content-Security-Policy";
}

http::Bytes compose_304(ReadyPage::Headers headers) {
  std::erase_if(headers, [](const auto& field) { return !is_for_304(field.first); });
  return http::compose_head(304, headers);
}

bool is_at(const LiveFeed& feed, std::uint64_t version, std::optional<std::int64_t> head) {
  return feed.version() == version && (!head || feed.head() == *head);
}

}  // namespace

std::function<bool()> while_unchanged(std::shared_ptr<const LiveFeed> feed, std::uint64_t version,
                                      std::optional<std::int64_t> head, const Follower& follower) {
  return [&follower, feed = std::move(feed), version, head] {
    return is_at(*feed, version, head) && follower.is_current();
  };
}

std::int64_t PageNews::newest() const {
  std::int64_t newest = lasting;
  for (const auto& [position, expires] : expiring) newest = std::max(newest, position);
  return newest;
}

bool PageNews::has_any_after(std::int64_t seen, Instant now) const {
  if (lasting > seen) return true;
  return std::any_of(expiring.begin(), expiring.end(),
                     [&](const auto& entry) { return entry.first > seen && entry.second > now; });
}

ReadyPage::ReadyPage(Headers headers, http::Bytes body, std::uint64_t version, std::optional<std::int64_t> head,
                     PageNews news, std::optional<LastModified> last_modified)
    : headers_(std::move(headers)),
      body_(std::move(body)),
      version_(version),
      head_(head),
      news_(std::move(news)),
      last_modified_(last_modified) {
  for (const auto& [name, value] : headers_) {
    if (name == "ETag") etag_ = value;
  }
  for (const bool is_held : {false, true}) {
    Headers all = headers_;
    for (auto& [name, value] : all) {
      if (is_held && name == "Cache-Control") value = "no-store";
    }
    if (is_held) std::erase_if(all, [](const auto& field) { return field.first == "Expires"; });
    heads_[0][is_held ? 1 : 0] = http::compose_head(200, all);
    heads_[1][is_held ? 1 : 0] = compose_304(std::move(all));
  }
}

http::Bytes ReadyPage::compose_not_modified(const std::string& etag) const {
  Headers headers = headers_;
  for (auto& [name, value] : headers) {
    if (name == "ETag") value = etag;
  }
  return compose_304(std::move(headers));
}

std::size_t ReadyPage::bytes() const {
  // The head as fields and in four composed forms.
  return sizeof *this + body_->size() + 5 * heads_[0][0]->size() + 32 * news_.expiring.size();
}

ReadyPage ReadyPage::in(http::Coding coding) const {
  Headers headers = headers_;
  headers.emplace_back("Content-Encoding", http::coding_name(coding));
  // A page that lasts is made once and sent often.
  const http::Effort effort = head_ ? http::Effort::kQuick : http::Effort::kThorough;
  return ReadyPage(std::move(headers), http::make_bytes(http::compress(coding, *body_, effort)), version_, head_, news_,
                   last_modified_);
}

bool ReadyPage::holds(const LiveFeed& feed) const {
  return is_at(feed, version_, head_);
}

bool is_unchanged(const http::Request& request, const ReadyPage& page, Ticks now) {
  if (request.header("if-none-match")) return http::if_none_match_matches(request, page.etag());
  return page.last_modified() && page.last_modified()->is_known(request, now);
}

namespace {

http::Response answer(const ReadyPage& page, const http::Request& request, bool is_held, Ticks now) {
  http::Response response;
  const bool is_known = is_unchanged(request, page, now);
  response.status = is_known ? 304 : 200;
  response.head = page.composed_head(is_known, is_held);
  if (!is_known) response.body = page.body();
  // RFC 9110 section 15.4.5: a 304 leaves out what its entity tag makes needless; who sends tags goes by them.
  const bool goes_by_tag = is_known && request.header("if-none-match");
  if (page.last_modified() && !goes_by_tag) page.last_modified()->tell(response, now);
  return response;
}

}  // namespace

http::Response answer_with(const ReadyPage& page, const http::Request& request, std::shared_ptr<const LiveFeed> feed,
                           const Follower& follower, const Clock& clock) {
  const Ticks now = clock.ticks();
  http::Response response = answer(page, request, false, now);
  response.holds = [&follower, feed = std::move(feed), version = page.version(), head = page.head(), use = page.use()] {
    if (!is_at(*feed, version, head) || !follower.is_current()) return false;
    ReadyPage::mark(use);
    return true;
  };
  if (response.status == 200 && page.last_modified() && now < page.last_modified()->settled()) {
    // The next answer may have to say when the page was modified.
    response.holds = [&clock, settled = page.last_modified()->settled(), holds = std::move(response.holds)] {
      return clock.ticks() < settled && holds();
    };
  }
  return response;
}

http::Response held_answer_with(const ReadyPage& page, const http::Request& request, Ticks now) {
  return answer(page, request, true, now);
}

}  // namespace courant::feeds
