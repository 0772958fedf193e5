#include "feeds/batch.h"

#include "feeds/atom_rules.h"
#include "feeds/cloud_events.h"
#include "kernel/problem.h"
#include "kernel/time.h"
#include "schema/door.h"
#include "schema/element.h"
#include "schema/split.h"

namespace courant::feeds {
namespace {

using schema::Element;

// Throws Problem 422.
[[noreturn]] void refuse(const PostRules& rules, Refusal why, const Fault& fault) {
  rules.around.count(why);
  throw Problem(422, with_place(fault));
}

[[noreturn]] void refuse_slow(const PostRules& rules, std::size_t judged, std::size_t all) {
  if (rules.around.patience.is_first_try) throw schema::OutOfPatience();
  refuse(rules, Refusal::kBound,
         {"The batch takes more than " + format_duration(rules.max_batch_time) + " of the processor to judge: " +
          std::to_string(judged) + " of its " + std::to_string(all) + " entries did; send fewer at once"});
}

int status_of(const Fault& fault) {
  return fault.detail == "atom:updated is blank" ? 400 : 422;
}

bool is_too_long(const PreparedEntry& entry, const EntryRules& rules) {
  return entry.before_times.size() + entry.after_times.size() > rules.max_bytes;
}

std::string text_of(const Element& parent, std::string_view name) {
  for (const Element& child : parent.children()) {
    if (child.namespace_uri() == kAtomNamespace && child.name() == name) return child.text();
  }
  return {};
}

// Whom the batch names as author speaks for its entries that name none.
std::string author_of(const Element& feed, const std::string& otherwise) {
  for (const Element& child : feed.children()) {
    if (child.namespace_uri() != kAtomNamespace || child.name() != "author") continue;
    const std::string name = text_of(child, "name");
    if (!name.empty()) return name;
  }
  return otherwise;
}

// The numbers of the start tags of a batch's entries.
std::vector<std::size_t> numbers_of_entries(const schema::Document& document) {
  std::vector<std::size_t> numbers;
  for (const Element& child : Element::root_of(document).children()) {
    if (child.namespace_uri() == kAtomNamespace && child.name() == "entry") numbers.push_back(child.number());
  }
  return numbers;
}

// bytes: of the document; empty: nobody has seen them.
Posted read_batch(const schema::Document& document, PostRules rules, std::string_view bytes) {
  rules.entry.default_author = author_of(Element::root_of(document), rules.entry.default_author);
  std::vector<schema::Document> parts = schema::children_alone(document, kAtomNamespace, "entry");
  if (parts.empty()) throw Problem(422, "There is no entry in it");
  if (parts.size() > rules.max_batch) {
    throw Problem(413, "The feed document holds " + std::to_string(parts.size()) + " entries, more than " +
                           std::to_string(rules.max_batch));
  }
  Posted posted;
  posted.is_batch = true;
  std::vector<EntryProblem> problems;
  bool is_all_blank = true;  // what is wrong
  const std::vector<std::size_t> numbers = rules.door ? numbers_of_entries(document) : std::vector<std::size_t>();
  const std::chrono::nanoseconds begun = processor_time();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && rules.door && processor_time() - begun > rules.max_batch_time) refuse_slow(rules, i, parts.size());
    const Element element = Element::root_of(parts[i]);
    EntryProblem problem{i, text_of(element, "id"), text_of(element, "title"), ""};
    const Source source = rules.door ? Source{bytes, numbers[i]} : Source{};
    Result<PreparedEntry> entry = read_by_rules(std::move(parts[i]), rules, source);
    const bool is_blank = !entry && status_of(entry.fault()) == 400;
    if (!entry) {
      problem.detail = with_place(entry.fault());
    } else if (is_too_long(*entry, rules.entry)) {
      problem.detail = "the entry is longer than " + std::to_string(rules.entry.max_bytes) + " bytes";
    } else {
      posted.entries.push_back(*std::move(entry));
      continue;
    }
    is_all_blank = is_all_blank && is_blank;
    problems.push_back(std::move(problem));
  }
  if (!problems.empty()) {
    const std::size_t count = problems.size();
    throw Problem(is_all_blank ? 400 : 422, std::to_string(count) + " of " + std::to_string(parts.size()) +
                                                " entries are not valid; none was stored")
        .with_entries(std::move(problems));
  }
  return posted;
}

// is_seen: the publisher has sent these bytes, and can be told of places in them.
Posted read_document(std::string_view bytes, const PostRules& rules, bool is_seen) {
  schema::DoorLimits limits;
  limits.max_bytes = std::max(rules.entry.max_bytes, rules.max_batch_bytes);
  Result<schema::Document> document = schema::admit(bytes, limits);
  if (!document) refuse(rules, Refusal::kXml, document.fault());
  const Element root = Element::root_of(*document);
  if (root.namespace_uri() == kAtomNamespace && root.name() == "feed") {
    return read_batch(*document, rules, is_seen ? bytes : std::string_view());
  }
  if (bytes.size() > rules.entry.max_bytes) {
    throw Problem(413, "The entry is longer than " + std::to_string(rules.entry.max_bytes) + " bytes");
  }
  const Source source{is_seen ? bytes : std::string_view(), 0};
  Result<PreparedEntry> entry = read_by_rules(*std::move(document), rules, source);
  if (!entry) throw Problem(status_of(entry.fault()), with_place(entry.fault()));
  Posted posted;
  posted.entries.push_back(*std::move(entry));
  return posted;
}

}  // namespace

Result<PreparedEntry> read_by_rules(schema::Document document, const PostRules& rules, const Source& source) {
  if (rules.door) return rules.door->read(std::move(document), rules.entry, rules.around, source);
  Result<PreparedEntry> read = read_entry(std::move(document), rules.entry);
  if (!read) rules.around.count(Refusal::kAtom);
  return read;
}

Posted read_posted(std::string_view bytes, const PostRules& rules) {
  return read_document(bytes, rules, true);
}

Posted read_posted_event(std::string_view bytes, const PostRules& rules) {
  if (bytes.size() > rules.entry.max_bytes) {
    throw Problem(413, "The event is longer than " + std::to_string(rules.entry.max_bytes) + " bytes");
  }
  const Result<std::string> entry = entry_of_event(bytes);
  if (!entry) refuse(rules, Refusal::kEvent, entry.fault());
  return read_document(*entry, rules, false);
}

Posted read_posted_events(std::string_view bytes, const PostRules& rules) {
  const Result<std::string> feed = feed_of_events(bytes);
  if (!feed) refuse(rules, Refusal::kEvent, feed.fault());
  return read_document(*feed, rules, false);
}

}  // namespace courant::feeds
