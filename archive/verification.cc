#include "archive/verification.h"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "schema/marks.h"

namespace courant::archive {
namespace {

using nlohmann::json;
using schema::Attributes;

constexpr std::size_t kLongestDocument = std::size_t{4} << 30;
constexpr std::int64_t kTailAtOnce = 1000;
constexpr std::size_t kNewest = 1000;  // positions that a feed document may show
// No log comes so far: below it, positions can be reckoned with.
constexpr std::int64_t kMostPosition = std::int64_t{1} << 53;

std::string at(std::int64_t position) {
  return "position " + std::to_string(position);
}

// -1: there is none, or no position.
std::int64_t number_in(const Attributes& attributes, const std::string& name) {
  const auto found = attributes.find(name);
  const std::optional<std::uint64_t> number = found == attributes.end() ? std::nullopt : parse_unsigned(found->second);
  return number && *number <= kMostPosition ? static_cast<std::int64_t>(*number) : -1;
}
std::int64_t listed_number(const json& object, const char* name) {
  const json& number = object.at(name);
  if (!number.is_number_unsigned() || number.get<std::uint64_t>() > kMostPosition) return -1;
  return number.get<std::int64_t>();
}

std::string text_in(const Attributes& attributes, const std::string& name) {
  const auto found = attributes.find(name);
  return found == attributes.end() ? std::string() : found->second;
}

bool is_chain(const std::string& text) {
  const std::optional<std::string> bytes = from_hex(text);
  return bytes && bytes->size() == Sha256{}.size() && to_hex(*bytes) == text;
}

std::string bytes_in(const Attributes& attributes, const std::string& name) {
  return from_hex(text_in(attributes, name)).value_or("");
}

// What a record says has been redacted: "3 9 12".
std::vector<std::int64_t> positions_of(const Attributes& record) {
  std::vector<std::int64_t> positions;
  const std::string words = text_in(record, "positions");
  for (const std::string_view word : split(words, ' ')) {
    if (const auto position = parse_unsigned(word)) positions.push_back(static_cast<std::int64_t>(*position));
  }
  return positions;
}

std::string next_chain(const std::string& chain, const std::string& leaf) {
  return to_hex(bytes_of(sha256(*from_hex(chain), leaf)));
}

Result<schema::MarkedDocument> read(std::string_view bytes) {
  schema::DoorLimits limits;
  limits.max_bytes = kLongestDocument;
  limits.max_elements = SIZE_MAX;
  const Result<schema::Document> document = schema::admit(bytes, limits);
  if (!document) return Fault{"the server sent a document that is not well-formed: " + document.fault().detail};
  return schema::read_marks(*document);
}

// The pages that the index lists, in bounded pieces.
struct Index {
  Verified head;
  Verified floor;
  json pages;
  std::string next;
};

// What is wrong with the ends of a log as the index gives them.
std::optional<Fault> check_ends(const Index& index) {
  const std::string zero(2 * Sha256{}.size(), '0');
  if (index.head.generation < 1) return Fault{"its generation is none"};
  if (index.floor.position < 0) return Fault{"the position of its floor is none"};
  if (index.head.position < index.floor.position) return Fault{"its head is no position that follows its floor"};
  if (!is_chain(index.head.chain) || !is_chain(index.floor.chain)) {
    return Fault{"a chain value is not 64 hexadecimal digits in lower case"};
  }
  if (index.floor.position == 0 && index.floor.chain != zero) return Fault{"the chain does not begin with zeros"};
  return std::nullopt;
}

Result<Index> fetch_index(const std::string& url, const Fetch& fetch) {
  const Result<std::string> body = fetch(url);
  if (!body) return body.fault();
  try {
    const json document = json::parse(*body);
    const json& floor = document.at("floor");
    const std::int64_t generation = listed_number(document, "generation");
    Index index;
    index.head = {listed_number(document, "head"), document.at("chain").get<std::string>(), generation};
    index.floor = {listed_number(floor, "position"), floor.at("chain").get<std::string>(), generation};
    index.pages = document.at("pages");
    if (document.at("next").is_string()) index.next = document.at("next").get<std::string>();
    if (const std::optional<Fault> fault = check_ends(index)) return Fault{url + ": " + fault->detail};
    return index;
  } catch (const json::exception&) {
    return Fault{url + " is not the archive index of a Courant feed"};
  }
}

// One page of the archive: the index, the page and the log must tell the same.
std::optional<Fault> check_page(const json& listed, const Fetch& fetch, LogCheck& check) {
  const std::string url = listed.at("url").get<std::string>();
  const Result<std::string> page = fetch(url);
  if (!page) return page.fault();
  if (to_hex(bytes_of(sha256(*page))) != listed.at("sha256").get<std::string>()) {
    return Fault{url + " is not the document whose digest the index lists"};
  }
  const std::int64_t last = listed_number(listed, "last_position");
  if (last <= check.position()) {
    return Fault{url + ": the index lists a page that does not go on after " + at(check.position())};
  }
  if (std::optional<Fault> fault = check.document(*page, last)) {
    return Fault{url + ": " + fault->detail};
  }
  if (check.chain() != listed.at("chain").get<std::string>()) {
    return Fault{url + ": the index lists another chain value at " + at(last)};
  }
  return std::nullopt;
}

// What follows the archive, up to the head that the current feed shows; and the current feed.
std::optional<Fault> check_tail(const std::string& feed_url, const Verified& listed, const Fetch& fetch,
                                const Progress& progress, LogCheck& check) {
  const Result<std::string> head = fetch(feed_url);
  if (!head) return head.fault();
  const Result<schema::MarkedDocument> marks = read(*head);
  if (!marks) return Fault{feed_url + ": " + marks.fault().detail};
  const std::int64_t shown = marks->chain ? number_in(*marks->chain, "position") : check.position();
  const std::int64_t least = std::max(listed.position, check.position());
  if (shown < least) {
    return Fault{feed_url + ": the log ends at " + at(shown) + ", but its archive's index says that it goes to " +
                 at(least)};
  }
  if (marks->chain) {
    const Verified end{shown, text_in(*marks->chain, "value"), listed.generation};
    std::string otherwise = feed_url + ": the head shows another chain value at " + at(shown);
    if (std::optional<Fault> fault = check.expect(end, std::move(otherwise))) return fault;
  }
  while (check.position() < shown) {
    const std::int64_t from = check.position();
    const std::int64_t wanted = std::min(kTailAtOnce, shown - from);
    const std::string url =
        feed_url + "?marker=" + std::to_string(from) + "&direction=forward&limit=" + std::to_string(wanted);
    const Result<std::string> page = fetch(url);
    if (!page) return page.fault();
    // A page may end early where its entries are long: what it covers stands in its newest entry.
    const Result<schema::MarkedDocument> covered = read(*page);
    if (!covered) return Fault{url + ": " + covered.fault().detail};
    std::int64_t upto = from;
    for (const schema::MarkedElement& element : covered->elements)
      upto = std::max(upto, number_in(element.log, "position"));
    if (upto == from) return Fault{url + " shows nothing, but the head is at " + at(shown)};
    if (std::optional<Fault> fault = check.document(*page, std::min(upto, shown))) {
      return Fault{url + ": " + fault->detail};
    }
    progress(check.position(), shown);
  }
  if (std::optional<Fault> fault = check.repeated(*head)) return Fault{feed_url + ": " + fault->detail};
  return std::nullopt;
}

}  // namespace

LogCheck::LogCheck(Verified start) : at_(std::move(start)) {
  newest_[at_.position] = at_.chain;
}

std::optional<Fault> LogCheck::expect(const Verified& known, std::string otherwise) {
  expected_.emplace(known.position, Expected{known.chain, std::move(otherwise)});
  return judge();
}

std::optional<Fault> LogCheck::judge() const {
  const auto [first, last] = expected_.equal_range(at_.position);
  for (auto each = first; each != last; ++each) {
    if (each->second.chain != at_.chain) return Fault{each->second.otherwise};
  }
  return std::nullopt;
}

std::optional<Fault> LogCheck::document(std::string_view bytes, std::int64_t upto) {
  const Result<schema::MarkedDocument> marks = read(bytes);
  if (!marks) return marks.fault();
  std::map<std::int64_t, const schema::MarkedElement*> by_position;
  for (const schema::MarkedElement& element : marks->elements) {
    const std::int64_t position = number_in(element.log, "position");
    if (!by_position.emplace(position, &element).second) return Fault{at(position) + " stands there twice"};
  }
  for (const auto& [position, element] : by_position) {
    if (position <= at_.position || position > upto) {
      return Fault{at(position) + " stands where positions " + std::to_string(at_.position + 1) + " to " +
                   std::to_string(upto) + " belong"};
    }
  }
  for (std::int64_t position = at_.position + 1; position <= upto; ++position) {
    const auto found = by_position.find(position);
    if (found == by_position.end()) return Fault{at(position) + " is missing"};
    const schema::MarkedElement& element = *found->second;
    const std::string leaf = bytes_in(element.log, "leaf");
    if (leaf.size() != Sha256{}.size()) return Fault{at(position) + " carries no leaf"};
    if (element.log.contains("redacted")) {
      redacted_[position] = element.ref;
    } else if (leaf != bytes_of(sha256(bytes_in(element.log, "salt"), element.canonical))) {
      return Fault{"the content at " + at(position) + " is not what its leaf was made of"};
    }
    if (element.record && element.name == "deleted-entry") {
      for (const std::int64_t named : positions_of(*element.record)) recorded_[named] = element.ref;
    }
    at_.chain = next_chain(at_.chain, leaf);
    at_.position = position;
    newest_[position] = at_.chain;
    if (newest_.size() > kNewest + 1) newest_.erase(newest_.begin());
    if (std::optional<Fault> fault = judge()) return fault;
  }
  if (marks->chain && number_in(*marks->chain, "position") == upto) {
    const auto value = marks->chain->find("value");
    if (value == marks->chain->end() || value->second != at_.chain) {
      return Fault{"the document's chain value at " + at(upto) +
                   " is not what its entries give: one of them, or one before, is not the original"};
    }
  }
  return std::nullopt;
}

std::optional<Fault> LogCheck::repeated(std::string_view bytes) const {
  const Result<schema::MarkedDocument> marks = read(bytes);
  if (!marks) return marks.fault();
  std::int64_t first = at_.position + 1;
  for (const schema::MarkedElement& element : marks->elements) {
    first = std::min(first, number_in(element.log, "position"));
  }
  const auto before = newest_.find(first - 1);
  if (before == newest_.end()) return Fault{at(first) + " is not among the newest positions, which belong there"};
  LogCheck again({before->first, before->second, at_.generation});
  if (std::optional<Fault> fault = again.document(bytes, at_.position)) return fault;
  if (again.chain() == at_.chain) return std::nullopt;
  return Fault{"one of the positions " + std::to_string(first) + " to " + std::to_string(at_.position) +
               " is not what the log holds there"};
}

std::optional<Fault> LogCheck::finish() const {
  if (!expected_.empty() && expected_.rbegin()->first > at_.position) {
    return Fault{"the log ends at " + at(at_.position) + ", but its chain was known up to " +
                 at(expected_.rbegin()->first)};
  }
  for (const auto& [position, id] : redacted_) {
    const auto record = recorded_.find(position);
    if (record == recorded_.end()) {
      return Fault{at(position) + " shows no content, and no record in the log says that it was redacted"};
    }
    if (record->second != id) {
      return Fault{at(position) + " is said to have been of " + id + ", but the record of its redaction names " +
                   record->second};
    }
  }
  return std::nullopt;
}

Result<VerifyReport> verify_feed(const std::string& feed_url, const std::optional<Verified>& earlier,
                                 const Fetch& fetch, const Progress& progress) {
  Result<Index> index = fetch_index(feed_url + "/archive", fetch);
  if (!index) return index.fault();
  const Verified floor = index->floor;
  const std::int64_t least = index->head.position;
  if (earlier && earlier->position > least) {
    return Fault{"this feed was verified up to " + at(earlier->position) + " before, and now ends at " + at(least)};
  }
  VerifyReport report;
  report.verified.generation = floor.generation;
  report.first = floor.position + 1;
  report.begins_late = floor.position > 0;
  report.went_through = earlier && earlier->position >= floor.position;
  LogCheck check(floor);
  if (report.went_through) {
    std::string otherwise = "history has changed: at " + at(earlier->position) +
                            " the chain is not what it was when this feed was verified before; what differs lies at or"
                            " before that position";
    if (std::optional<Fault> fault = check.expect(*earlier, std::move(otherwise))) return *std::move(fault);
  }
  for (;;) {
    const std::int64_t before = check.position();
    if (index->head.generation != floor.generation) return Fault{"a new generation of the log has begun: ask again"};
    if (index->head.position < std::max(least, before)) {
      return Fault{"the archive's index names a head at " + at(index->head.position) + ", before one that it named"};
    }
    std::string otherwise = "the archive's index lists another chain value at its head, " + at(index->head.position);
    if (std::optional<Fault> fault = check.expect(index->head, std::move(otherwise))) return *std::move(fault);
    try {
      for (const json& listed : index->pages) {
        if (std::optional<Fault> fault = check_page(listed, fetch, check)) return *std::move(fault);
        progress(check.position(), index->head.position);
      }
    } catch (const json::exception&) {
      return Fault{feed_url + "/archive lists a page without its facts"};
    }
    if (index->next.empty() || check.position() >= least) break;
    if (check.position() == before) return Fault{"the archive's index lists no page, and goes on at " + index->next};
    Result<Index> next = fetch_index(index->next, fetch);
    if (!next) return next.fault();
    index = std::move(next);
  }
  if (std::optional<Fault> fault = check_tail(feed_url, index->head, fetch, progress, check)) return *std::move(fault);
  if (std::optional<Fault> fault = check.finish()) return *std::move(fault);
  report.verified.position = check.position();
  report.verified.chain = check.chain();
  report.redacted = check.redacted();
  return report;
}

}  // namespace courant::archive
