#include "feeds/feed_pages.h"

#include "feeds/coded_page.h"
#include "feeds/event_stream.h"
#include "feeds/forms.h"
#include "feeds/further_forms.h"
#include "feeds/page.h"
#include "feeds/page_cache.h"
#include "feeds/page_files.h"
#include "feeds/reader.h"
#include "feeds/representation.h"
#include "feeds/visibility.h"
#include "http/conditional.h"
#include "http/negotiate.h"
#include "http/prefer.h"
#include "http/response_bytes.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;
using Page = PageCache::Page;

constexpr std::size_t kCodeAbove = 1024;  // shorter documents are sent as they are

// A view of a feed: which of its pages, in which form.
struct View {
  FeedOffers offers;
  PageRequest wanted;
  const Offer* offer = nullptr;
  std::string suffix;         // of the links between its pages
  std::string key;            // of the page in memory
  bool is_canonical = false;  // what everybody reads: the head in one of its forms
  http::CodingChoice coding;
};

std::string tag_word_of(const Engine& engine, const Offer& offer) {
  return offer.further != nullptr ? engine.further_forms().tag_word(*offer.further) : tag_word(offer);
}

// The feed's forms are prepared. Throws Problem 400, 406, and 500 where a form's stylesheet cannot be used.
View view_of(const Engine& engine, const Request& request, const LiveFeed& feed) {
  const Parameters parameters = query_of(request);
  View view;
  view.offers = FeedOffers(feed.state());
  view.offer = &choose_representation(request, parameters, view.offers.all());
  view.suffix = link_suffix(parameters);
  view.coding = http::choose_coding(request.combined_header("accept-encoding"));
  PageRequest& wanted = view.wanted;
  wanted.query = parse_page_query(parameters, feed.facts().page_size);
  bind_to(wanted.query, asker_of(request));
  wanted.feed_url = engine.feed_url(feed.facts());
  wanted.hub_url = engine.options().hub_url;
  wanted.max_bytes = engine.options().max_page_bytes;
  wanted.representation = view.offer->format;
  wanted.tag_word = tag_word_of(engine, *view.offer);
  wanted.is_newest_only = view.offer->representation != Representation::kXml;
  const PageQuery& query = wanted.query;
  view.is_canonical = !query.marker && !query.starting_at && !query.filter && !query.limit_given;
  view.key = page_key(feed.facts().key) + wanted.tag_word + "\n" + view.suffix + "\n" + canonical_query(query);
  return view;
}

// The highest position that the tags of If-None-Match name; 0: none does.
std::int64_t position_of_tags(const Request& request) {
  std::int64_t highest = 0;
  for (const http::HeaderView& field : request.headers) {
    if (!equal_ignoring_case(field.name, "if-none-match")) continue;
    highest = std::max(highest, highest_position(field.value));
  }
  return highest;
}

// The highest position that the request shows its sender to know of.
std::int64_t named_position(const Request& request, const PageQuery& query) {
  std::int64_t named = position_of_tags(request);
  const std::string_view marker = query.marker ? std::string_view(*query.marker) : std::string_view();
  for (const std::string_view text : {marker, request.header("feed-position-min").value_or("")}) {
    if (const std::optional<std::uint64_t> position = parse_unsigned(text); position && *position >> 62 == 0) {
      named = std::max(named, static_cast<std::int64_t>(*position));
    }
  }
  return named;
}

// Whether what this process knows of the feed is enough to answer from.
bool is_known_enough(const Engine& engine, const LiveFeed& feed, const Request& request, const PageQuery& query) {
  return engine.follower().is_current() && named_position(request, query) <= feed.head();
}

// The Link field of a page. suffix: of the links between pages of its form.
std::string link_field(const PageLinks& links, const std::string& self, const std::string& feed_url,
                       const std::string& hub_url, std::string_view suffix) {
  std::string field = "<" + self + ">; rel=\"self\"";
  if (!hub_url.empty()) field += ", <" + hub_url + ">; rel=\"hub\"";
  field += ", <" + with_suffix(feed_url + links.previous, suffix) + ">; rel=\"previous\"";
  if (!links.next.empty()) field += ", <" + with_suffix(feed_url + links.next, suffix) + ">; rel=\"next\"";
  return field;
}

// Says when it is worth to ask again. As long as that is so, the same answer may be given again: composed heads know
// nothing of it, so a hint that ages costs nothing but a look at the clock.
void advise(const Engine& engine, const std::shared_ptr<const LiveFeed>& feed,
            std::optional<std::chrono::seconds> interval, Response& response) {
  if (!interval) return;
  response.with("Poll-Interval", std::to_string(interval->count()));
  if (!response.holds) return;
  response.holds = [&engine, feed, interval, holds = std::move(response.holds)] {
    return holds() && engine.poll_interval(*feed) == interval;
  };
}

// Pages for people follow their feed. What an operator's stylesheet makes may hold whatever publishers sent.
void add_policy(const Offer& offer, ReadyPage::Headers& headers) {
  if (offer.representation == Representation::kHtml) {
    headers.emplace_back("Content-Security-Policy", live_page_policy());
  } else if (offer.representation == Representation::kFurther) {
    headers.emplace_back("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  }
}

// A conditional GET of a head that has not changed: tag and links are told by where the feed stands, without a page,
// once somebody has read one.
std::optional<Response> unchanged_head(const Engine& engine, const Request& request,
                                       const std::shared_ptr<LiveFeed>& feed) {
  if (!request.header("if-none-match") || !request.query.empty() || !engine.follower().is_current())
    return std::nullopt;
  if (asker_of(request).is_filtered()) return std::nullopt;  // the tag is of what is new to him
  const std::uint64_t version = feed->version();
  const std::int64_t head = feed->head();
  if (named_position(request, {}) > head) return std::nullopt;
  const std::shared_ptr<const HeadPage> page = feed->head_page();
  if (!page || page->version != version || page->head != head) return std::nullopt;
  const std::shared_ptr<const FeedState> state = feed->state();
  const FeedOffers offers(state);
  const Offer& offer = choose_representation(request, {}, offers.all());
  if (offer.representation == Representation::kEvents) return std::nullopt;  // nobody has a stream already
  const std::string etag = page_etag(feed->facts(), *state, tag_word_of(engine, offer), "", head);
  if (!http::if_none_match_matches(request, etag)) return std::nullopt;
  const PageLinks links = links_of({}, {page->after, head, true}, {head, state->floor, state->generation});
  const std::string feed_url = engine.feed_url(feed->facts());
  const std::string self = with_suffix(feed_url, form_suffix(offer.format));
  ReadyPage::Headers headers = {{"ETag", etag},
                                {"Cache-Control", "no-cache"},
                                {"Vary", "Accept, Accept-Encoding"},
                                {"Link", link_field(links, self, feed_url, engine.options().hub_url, "")}};
  add_policy(offer, headers);
  Response response;
  response.status = 304;
  response.head = http::compose_head(304, headers);
  if (offer.further == nullptr) response.holds = while_unchanged(feed, version, head, engine.follower());
  advise(engine, feed, engine.poll_interval(*feed), response);
  return response;
}

// version: of the feed before the page is read.
ReadyPage make_page(sql::Session& session, LiveFeed& feed, const View& view, std::uint64_t version,
                    const Engine& engine) {
  const PageRequest& wanted = view.wanted;
  RenderedPage page = read_page(session, feed, wanted);
  if (view.is_canonical) feed.note_head_page({version, page.head, page.range.after});
  const bool is_lasting = page.range.is_full && wanted.query.marker != "last" && !wanted.is_newest_only;
  ReadyPage::Headers headers = {
      {"Content-Type", std::string(view.offer->content_type)},
      {"ETag", page.etag},
      {"Feed-Position", std::to_string(page.range.upto)},
      {"Link", link_field(page.links, page.self, wanted.feed_url, wanted.hub_url, view.suffix)},
      {"Vary", "Accept, Accept-Encoding"}};
  add_policy(*view.offer, headers);
  if (is_lasting) {
    const ReadyPage::Headers lasting = lasting_fields(feed.state()->settings, page.oldest);
    headers.insert(headers.end(), lasting.begin(), lasting.end());
  } else {
    headers.emplace_back("Cache-Control", "no-cache");
  }
  const xslt::Reach reach = wanted.query.bound.empty() ? xslt::Reach::kWhole : xslt::Reach::kPart;
  std::string document = in_offer(std::move(page.document), *view.offer, feed.facts(), wanted.feed_url, view.suffix,
                                  &engine.further_forms(), reach);
  PageNews news{page.lasting, std::move(page.expiring), page.range.upto < page.head};
  std::optional<LastModified> last_modified;
  if (page.modified) last_modified.emplace(*page.modified, engine.clock().ticks());
  return ReadyPage(std::move(headers), http::make_bytes(std::move(document)), version,
                   is_lasting ? std::nullopt : std::optional(page.head), std::move(news), last_modified);
}

// In which coding this page of the view is sent.
http::CodingChoice coding_of(const View& view, const Request& request, const ReadyPage& page, Ticks now) {
  const bool is_short = page.body()->size() <= kCodeAbove && view.coding.takes(http::Coding::kIdentity);
  return is_short || is_unchanged(request, page, now) ? http::CodingChoice{} : view.coding;
}

// The page in that coding, as far as it is in memory.
CodedPage find_coded(Engine& engine, const View& view, const http::CodingChoice& coding,
                     const std::shared_ptr<LiveFeed>& feed, const Page& page) {
  if (coding.best == http::Coding::kIdentity) return {page};
  const auto make_in = [&page](http::Coding wanted) -> PageCache::Make {
    return [page, wanted](sql::Session&) { return page->in(wanted); };
  };
  return find_coded(engine.pages(), view.key, coding, feed, make_in);
}

// How long the client wants to wait for news; nullopt: not at all. Pages that do not end at the head have no news.
std::optional<std::chrono::seconds> wait_of(const Engine& engine, const Request& request) {
  return http::wait_preference(request, engine.options().wait_cap);
}

bool may_wait(const PageQuery& query) {
  if (!query.marker) return true;
  return query.marker != "last" && query.direction == PageQuery::Direction::kForward;
}

// Whether the page is an answer already for somebody who would wait.
bool has_news(const Engine& engine, const Request& request, const View& view, const ReadyPage& page) {
  if (!may_wait(view.wanted.query)) return true;
  if (is_unchanged(request, page, engine.clock().ticks())) return false;
  const Instant now = engine.clock().now();
  if (view.wanted.query.marker || view.wanted.query.starting_at) {
    return page.news().is_short_of_head || page.news().has_any_after(0, now);
  }
  // Who names no state of the head has seen nothing.
  const std::int64_t seen = position_of_tags(request);
  return seen == 0 || seen >= page.news().newest() || page.news().has_any_after(seen, now);
}

void apply(std::chrono::seconds wait, const ReadyPage& page, Response& response) {
  response.with("Preference-Applied", "wait=" + std::to_string(wait.count()));
  // Entries that expire make it an answer now, and none later.
  if (!page.news().expiring.empty()) response.holds = nullptr;
}

// The page of the view, from memory or made. Where this process may know less than the reader, the database is asked.
Task<CodedPage> page_of(Engine& engine, const Request& request, std::shared_ptr<LiveFeed> feed, const View& view) {
  if (!is_known_enough(engine, *feed, request, view.wanted.query)) co_await engine.ask_database(feed);
  const PageCache::Make make = [&engine, feed, &view, version = feed->version()](sql::Session& session) {
    return make_page(session, *feed, view, version, engine);
  };
  Page page = co_await engine.pages().get(view.key, feed, view.is_canonical, make);
  const http::CodingChoice coding = coding_of(view, request, *page, engine.clock().ticks());
  CodedPage coded = find_coded(engine, view, coding, feed, page);
  if (coded.page) co_return coded;
  coded.page = page;
  if (coding.first != http::Coding::kIdentity) {
    const PageCache::Make make_in = [page, first = coding.first](sql::Session&) { return page->in(first); };
    Page first = co_await engine.pages().get(coded_key(view.key, coding.first), feed, view.is_canonical, make_in);
    // Another who asked at the same time may have made it of a page of before.
    const bool is_same = first->head() == page->head() && first->version() == page->version();
    if (is_same) coded.page = std::move(first);
  }
  co_return coded;
}

// 200 or 304. The better form of a page that is still to be made is found by asking again, so nothing is given again
// before it is there; nor what a stylesheet made, which may be another one the next time.
Response answer_with(const CodedPage& coded, const Request& request, std::shared_ptr<const LiveFeed> feed,
                     const Engine& engine, bool is_further) {
  Response response = answer_with(*coded.page, request, std::move(feed), engine.follower(), engine.clock());
  if (!coded.is_best || is_further) response.holds = nullptr;
  return response;
}

}  // namespace

std::optional<Response> feed_at_once(Engine& engine, const Request& request, const PathArguments& arguments) {
  const std::shared_ptr<LiveFeed> feed = engine.directory().find(arguments[0], arguments[1]);
  if (!feed || !engine.further_forms().is_prepared(feed->state()->settings)) return std::nullopt;
  const std::optional<std::chrono::seconds> wait = wait_of(engine, request);
  if (!wait) {
    if (std::optional<Response> unchanged = unchanged_head(engine, request, feed)) return unchanged;
  }
  const View view = view_of(engine, request, *feed);
  if (view.offer->representation == Representation::kEvents) return std::nullopt;
  if (!is_known_enough(engine, *feed, request, view.wanted.query)) return std::nullopt;
  const Page page = engine.pages().find(view.key, *feed);
  if (!page || (wait && !has_news(engine, request, view, *page))) return std::nullopt;
  const CodedPage coded = find_coded(engine, view, coding_of(view, request, *page, engine.clock().ticks()), feed, page);
  if (!coded.page) return std::nullopt;
  Response response = answer_with(coded, request, feed, engine, view.offer->further != nullptr);
  if (page->head()) advise(engine, feed, engine.poll_interval(*feed), response);
  if (wait) apply(*wait, *page, response);
  return response;
}

namespace {

// How a reader waits for news of a feed.
struct Wait {
  std::optional<std::chrono::seconds> asked;  // nullopt: not at all
  Ticks until;
  std::optional<WaitingRoom::End> end = std::nullopt;  // of the last wait
};

// The answer as the feed stands now; nullopt: `news` has to be waited for. A coroutine of its own, so that nothing of
// what it works with is kept while somebody waits.
Task<std::optional<Response>> look(Engine& engine, const Request& request, const PathArguments& arguments,
                                   const Wait& wait, WaitingRoom::News& news) {
  const bool may_go_on = wait.asked && wait.end.value_or(WaitingRoom::End::kNews) == WaitingRoom::End::kNews &&
                         engine.clock().ticks() < wait.until;
  news = {arguments[0], arguments[1], 0, 0, std::nullopt};
  std::shared_ptr<LiveFeed> feed = co_await engine.find_feed(arguments[0], arguments[1]);
  if (!feed) {
    if (may_go_on && engine.may_appear(arguments[0], arguments[1])) co_return std::nullopt;
    Problem missing = no_such_feed(arguments[0], arguments[1]);
    const std::optional<std::chrono::seconds> hint = engine.poll_interval_under_pressure();
    if (wait.end != WaitingRoom::End::kEarly || !hint) throw missing;
    throw std::move(missing).with("Poll-Interval", std::to_string(hint->count()));
  }
  if (!engine.further_forms().is_prepared(feed->state()->settings)) {
    const auto prepare = [&engine, feed](sql::Session&) {
      engine.further_forms().prepare(feed->state()->settings);
      return true;
    };
    const bool is_prepared = co_await engine.executor().run(prepare);
    (void)is_prepared;
  }
  const View view = view_of(engine, request, *feed);
  if (view.offer->representation == Representation::kEvents) {
    Response stream = co_await stream_events(engine, request, feed, view.wanted.query);
    co_return stream;
  }
  CodedPage coded = co_await page_of(engine, request, feed, view);
  const Page& page = coded.page;
  if (may_go_on && page->head() && !has_news(engine, request, view, *page)) {
    news.seen = *page->head();
    news.version = page->version();
    news.filter = view.wanted.query.filter;
    co_return std::nullopt;
  }
  Response response = wait.end ? held_answer_with(*page, request, engine.clock().ticks())
                               : answer_with(coded, request, feed, engine, view.offer->further != nullptr);
  const std::optional<std::chrono::seconds> interval =
      wait.end == WaitingRoom::End::kEarly ? engine.poll_interval_under_pressure() : engine.poll_interval(*feed);
  if (page->head()) advise(engine, feed, interval, response);
  if (wait.asked) apply(*wait.asked, *page, response);
  co_return response;
}

}  // namespace

Task<Response> get_feed(Engine& engine, const Request& request, PathArguments arguments) {
  Wait wait{wait_of(engine, request), engine.clock().ticks()};
  wait.until += wait.asked.value_or(std::chrono::seconds(0));
  WaitingRoom::News news;
  for (;;) {
    std::optional<Response> response = co_await look(engine, request, arguments, wait, news);
    if (response) co_return *std::move(response);
    if (!wait.end) request.spend(http::Use::kWaits, 1);
    wait.end = co_await engine.waiting().wait(news, wait.until, request.presence);
  }
}

}  // namespace courant::feeds
