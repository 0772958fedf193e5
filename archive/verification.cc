#include "archive/verification.h"

#include <algorithm>
#include <map>
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

std::string at(std::int64_t position) {
  return "position " + std::to_string(position);
}

std::int64_t number_in(const Attributes& attributes, const std::string& name) {
  const auto found = attributes.find(name);
  const std::optional<std::uint64_t> number = found == attributes.end() ? std::nullopt : parse_unsigned(found->second);
  return number ? static_cast<std::int64_t>(*number) : -1;
}

std::string bytes_in(const Attributes& attributes, const std::string& name) {
  const auto found = attributes.find(name);
  if (found == attributes.end()) return {};
  return from_hex(found->second).value_or("");
}

// What a record says has been redacted: "3 9 12".
std::vector<std::int64_t> positions_of(const Attributes& record) {
  std::vector<std::int64_t> positions;
  const auto found = record.find("positions");
  if (found == record.end()) return positions;
  for (const std::string_view word : split(found->second, ' ')) {
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
  std::int64_t generation = 1;
  std::int64_t head = 0;
  std::int64_t complete_pages = 0;
  Verified floor;
  json pages;
  std::string next;
};

Result<Index> fetch_index(const std::string& url, const Fetch& fetch) {
  const Result<std::string> body = fetch(url);
  if (!body) return body.fault();
  try {
    const json document = json::parse(*body);
    Index index;
    index.generation = document.at("generation").get<std::int64_t>();
    index.head = document.at("head").get<std::int64_t>();
    index.complete_pages = document.at("complete_pages").get<std::int64_t>();
    index.floor = {document.at("floor").at("position").get<std::int64_t>(),
                   document.at("floor").at("chain").get<std::string>(), index.generation};
    index.pages = document.at("pages");
    if (document.at("next").is_string()) index.next = document.at("next").get<std::string>();
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
  const std::int64_t last = listed.at("last_position").get<std::int64_t>();
  if (std::optional<Fault> fault = check.document(*page, last)) {
    return Fault{url + ": " + fault->detail};
  }
  if (check.chain() != listed.at("chain").get<std::string>()) {
    return Fault{url + ": the index lists another chain value at " + at(last)};
  }
  return std::nullopt;
}

std::optional<Fault> check_tail(const std::string& feed_url, const Fetch& fetch, const Progress& progress,
                                LogCheck& check) {
  const Result<std::string> head = fetch(feed_url);
  if (!head) return head.fault();
  const Result<schema::MarkedDocument> marks = read(*head);
  if (!marks) return marks.fault();
  if (!marks->chain) return std::nullopt;  // nothing was ever published
  const std::int64_t end = number_in(*marks->chain, "position");
  while (check.position() < end) {
    const std::int64_t from = check.position();
    const std::int64_t wanted = std::min(kTailAtOnce, end - from);
    const std::string url =
        feed_url + "?marker=" + std::to_string(from) + "&direction=forward&limit=" + std::to_string(wanted);
    const Result<std::string> page = fetch(url);
    if (!page) return page.fault();
    // A page may end early where its entries are long: what it covers stands in its newest entry.
    const Result<schema::MarkedDocument> covered = read(*page);
    if (!covered) return covered.fault();
    std::int64_t upto = from;
    for (const schema::MarkedElement& element : covered->elements)
      upto = std::max(upto, number_in(element.log, "position"));
    if (upto == from) return Fault{url + " shows nothing, but the head is at " + at(end)};
    if (std::optional<Fault> fault = check.document(*page, upto)) return Fault{url + ": " + fault->detail};
    progress(check.position(), end);
  }
  const auto value = marks->chain->find("value");
  if (check.position() == end && (value == marks->chain->end() || value->second != check.chain())) {
    return Fault{feed_url + ": the head shows another chain value at " + at(end)};
  }
  return std::nullopt;
}

}  // namespace

LogCheck::LogCheck(Verified start, std::optional<Verified> earlier)
    : at_(std::move(start)), earlier_(std::move(earlier)) {}

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
      redacted_.insert(position);
    } else if (leaf != bytes_of(sha256(bytes_in(element.log, "salt"), element.canonical))) {
      return Fault{"the content at " + at(position) + " is not what its leaf was made of"};
    }
    if (element.record && element.name == "deleted-entry") {
      for (const std::int64_t named : positions_of(*element.record)) recorded_.insert(named);
    }
    at_.chain = next_chain(at_.chain, leaf);
    at_.position = position;
    if (earlier_ && earlier_->position == position && earlier_->chain != at_.chain) {
      return Fault{"history has changed: at " + at(position) +
                   " the chain is not what it was when this feed was verified before; what differs lies at or before"
                   " that position"};
    }
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

std::optional<Fault> LogCheck::finish() const {
  for (const std::int64_t position : redacted_) {
    if (!recorded_.contains(position)) {
      return Fault{at(position) + " shows no content, and no record in the log says that it was redacted"};
    }
  }
  return std::nullopt;
}

Result<VerifyReport> verify_feed(const std::string& feed_url, const std::optional<Verified>& earlier,
                                 const Fetch& fetch, const Progress& progress) {
  Result<Index> index = fetch_index(feed_url + "/archive", fetch);
  if (!index) return index.fault();
  VerifyReport report;
  report.first = index->floor.position + 1;
  report.begins_late = index->floor.position > 0;
  if (earlier && earlier->position > index->head) {
    return Fault{"this feed was verified up to " + at(earlier->position) + " before, and now ends at " +
                 at(index->head)};
  }
  if (earlier && earlier->position == index->floor.position && earlier->chain != index->floor.chain) {
    return Fault{"history has changed: the chain before " + at(report.first) + " is not what was verified before"};
  }
  LogCheck check(index->floor, earlier);
  report.verified.generation = index->generation;
  for (;;) {
    try {
      for (const json& listed : index->pages) {
        if (std::optional<Fault> fault = check_page(listed, fetch, check)) return *std::move(fault);
        progress(check.position(), index->head);
      }
    } catch (const json::exception&) {
      return Fault{feed_url + "/archive lists a page without its facts"};
    }
    if (index->next.empty()) break;
    index = fetch_index(index->next, fetch);
    if (!index) return index.fault();
  }
  if (std::optional<Fault> fault = check_tail(feed_url, fetch, progress, check)) return *std::move(fault);
  if (std::optional<Fault> fault = check.finish()) return *std::move(fault);
  report.verified.position = check.position();
  report.verified.chain = check.chain();
  report.redacted = check.redacted();
  report.went_through = earlier && earlier->position >= index->floor.position;
  return report;
}

}  // namespace courant::archive
