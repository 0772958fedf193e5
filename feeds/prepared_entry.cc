#include "feeds/prepared_entry.h"

#include <algorithm>
#include <set>

#include "feeds/atom_rules.h"
#include "kernel/text.h"
#include "kernel/uri.h"
#include "schema/canonical.h"
#include "schema/door.h"
#include "schema/element.h"
#include "schema/marks.h"
#include "schema/tags.h"

namespace courant::feeds {
namespace {

using schema::Element;

constexpr std::string_view kAppNamespace = "http://www.w3.org/2007/app";
constexpr std::string_view kClosingTag = "</entry>";
constexpr std::string_view kRelationPrefix = "http://www.iana.org/assignments/relation/";

std::string relation_of(const Element& link) {
  std::string relation = link.attribute("rel").value_or("alternate");
  if (relation.starts_with(kRelationPrefix)) relation.erase(0, kRelationPrefix.size());
  return relation;
}

bool is_atom(const Element& element, std::string_view name) {
  return element.namespace_uri() == kAtomNamespace && element.name() == name;
}

// What is taken out of the entry before it is made canonical, and what has to be filled in.
struct FoundParts {
  std::string id;
  std::optional<Instant> updated;
  bool has_title = false;
  bool has_author = false;
  bool has_content = false;
  bool has_summary = false;
  bool has_alternate = false;
  bool has_base = false;
  bool has_bad_expiry = false;
};

// Of what the server adds itself: what a client sends of it is what it has read.
bool is_server_link(std::string_view relation) {
  return relation == "self" || relation == "edit" || relation == "edit-media";
}

// Takes out id, published, updated, the server's links, and marks of a log that the entry was copied from; notes the
// rest.
FoundParts take_out(Element& entry, PreparedEntry& prepared, bool is_media_link) {
  FoundParts found;
  found.has_base = entry.attribute("base", kXmlNamespace).has_value();
  for (Element& child : entry.children()) {
    const bool is_media = child.namespace_uri() == kEntryNamespace && child.name() == "media";
    const bool is_edited = child.namespace_uri() == kAppNamespace && child.name() == "edited";
    if (child.namespace_uri() == schema::kLogNamespace || is_media || is_edited) {
      child.remove();
      continue;
    }
    if (child.namespace_uri() == kEntryNamespace && child.name() == "expires") {
      prepared.expires = parse_rfc3339(trim(child.text()));
      found.has_bad_expiry = !prepared.expires;
    }
    if (child.namespace_uri() != kAtomNamespace) continue;
    if (is_atom(child, "id")) found.id = trim(child.text());
    if (is_atom(child, "updated")) found.updated = parse_rfc3339(child.text());
    found.has_title = found.has_title || is_atom(child, "title");
    found.has_author = found.has_author || is_atom(child, "author");
    found.has_summary = found.has_summary || is_atom(child, "summary");
    if (is_atom(child, "content") && is_media_link) {
      child.remove();
      continue;
    }
    if (is_atom(child, "content")) {
      found.has_content = true;
      prepared.content_type = child.attribute("type").value_or("text");
    }
    if (is_atom(child, "category")) {
      std::string term = *child.attribute("term");
      if (std::find(prepared.terms.begin(), prepared.terms.end(), term) == prepared.terms.end()) {
        prepared.terms.push_back(std::move(term));
      }
    }
    const std::string relation = is_atom(child, "link") ? relation_of(child) : std::string();
    found.has_alternate = found.has_alternate || relation == "alternate";
    const bool is_ours =
        is_atom(child, "id") || is_atom(child, "published") || is_atom(child, "updated") || is_server_link(relation);
    if (is_ours) child.remove();
  }
  return found;
}

std::optional<Fault> check_terms(const PreparedEntry& prepared, const EntryRules& rules) {
  if (prepared.terms.size() > rules.max_terms) {
    return Fault{"the entry has more than " + std::to_string(rules.max_terms) + " categories"};
  }
  for (const std::string& term : prepared.terms) {
    if (term.size() > rules.max_term_bytes) {
      return Fault{"a category's term is longer than " + std::to_string(rules.max_term_bytes) + " bytes"};
    }
  }
  return std::nullopt;
}

std::optional<Fault> check_bounds(const PreparedEntry& prepared, const FoundParts& found, const EntryRules& rules) {
  if (!found.id.empty()) {
    if (std::optional<Fault> broken = broken_id(found.id)) return broken;
  }
  if (found.has_bad_expiry) return Fault{"expires must be an instant as in RFC 3339, such as 2026-11-25T12:00:00Z"};
  return check_terms(prepared, rules);
}

std::string fill_ins(const FoundParts& found, const EntryRules& rules) {
  std::string filled;
  if (!found.has_title) filled += "<title></title>";
  if (rules.is_media_link && !found.has_summary) filled += "<summary></summary>";
  if (!found.has_author) filled += "<author><name>" + xml_text(rules.default_author) + "</name></author>";
  return filled;
}

// Puts declarations that content may mean into a start tag, where it does not have them yet.
std::string with_declarations(std::string tag, const std::vector<std::pair<std::string, std::string>>& declarations) {
  tag.pop_back();
  for (const auto& [prefix, uri] : declarations) {
    const std::string name = " xmlns:" + prefix + "=\"";
    if (tag.find(name) != std::string::npos) continue;
    tag += name;
    append_xml_attribute(tag, uri);
    tag += '"';
  }
  return tag + '>';
}

}  // namespace

Result<PreparedEntry> read_entry(std::string_view bytes, const EntryRules& rules) {
  schema::DoorLimits limits;
  limits.max_bytes = rules.max_bytes;
  Result<schema::Document> document = schema::admit(bytes, limits);
  if (!document) return document.fault();
  return read_entry(*std::move(document), rules);
}

Result<PreparedEntry> read_entry(schema::Document document, const EntryRules& rules) {
  Element entry = Element::root_of(document);
  if (is_atom(entry, "feed")) return Fault{"a feed document is not taken here: send one atom:entry", entry.line(), 0};
  if (!is_atom(entry, "entry")) {
    return Fault{"the root element is '" + std::string(entry.name()) + "', not atom:entry in the namespace " +
                     std::string(kAtomNamespace),
                 entry.line(), 0};
  }
  if (std::optional<Fault> broken = broken_rule(entry, rules.lenient)) return *std::move(broken);

  PreparedEntry prepared;
  const bool needs_base = !entry.attribute("base", kXmlNamespace) && has_relative_references(entry);
  const FoundParts found = take_out(entry, prepared, rules.is_media_link);
  if (std::optional<Fault> broken = check_bounds(prepared, found, rules)) return *std::move(broken);
  if (!rules.server_ids) prepared.id = found.id;
  if (rules.client_updated) prepared.updated = found.updated;
  prepared.needs_alternate = !rules.is_media_link && !found.has_content && !found.has_alternate;

  schema::keep_root_only(document);
  entry.drop_direct_text();
  schema::write_without_prefix(document, kAtomNamespace);
  const auto meant = schema::prefixes_meant_by_content(document);
  if (!meant) return meant.fault();

  Result<std::string> remainder = schema::canonical(document);
  if (!remainder) return remainder.fault();
  prepared.content_digest = sha256(*remainder, prepared.updated ? format_rfc3339(*prepared.updated) : std::string());
  if (needs_base) {
    entry.set_xml_base(rules.base);
    remainder = schema::canonical(document);
    if (!remainder) return remainder.fault();
  }
  const std::size_t tag = schema::read_tag(*remainder, 0).end + 1;
  prepared.before_times = remainder->substr(0, tag);
  prepared.after_times = fill_ins(found, rules) + remainder->substr(tag);
  const std::string stored_tag = with_declarations(prepared.before_times, *meant);
  if (stored_tag != prepared.before_times) {
    prepared.canonical = {prepared.before_times, prepared.after_times};
    prepared.before_times = stored_tag;
  }
  if (!prepared.id.empty()) set_id(prepared, prepared.id);
  return prepared;
}

std::optional<Fault> broken_id(std::string_view id) {
  if (!is_absolute_iri(id)) return Fault{"atom:id must be an absolute IRI"};
  if (id.size() > EntryRules::kMaxIdBytes) return Fault{"atom:id is longer than 2048 bytes"};
  return std::nullopt;
}

void set_media(PreparedEntry& entry, const MediaFacts& media) {
  std::string element = "<media xmlns=\"" + std::string(kEntryNamespace) + "\" length=\"" +
                        std::to_string(media.length) + "\" sha256=\"" + to_hex(bytes_of(media.sha256)) + "\" type=\"";
  append_xml_attribute(element, media.type);
  element += "\"></media>";
  const auto add = [&element](std::string& text) { text.insert(text.size() - kClosingTag.size(), element); };
  add(entry.after_times);
  if (entry.canonical) add(entry.canonical->after_times);
  entry.content_digest = sha256(bytes_of(entry.content_digest), element);
  entry.content_type = media.type;
  entry.media = media.upload;
}

void set_id(PreparedEntry& entry, std::string id) {
  const std::string element = "<id>" + xml_text(id) + "</id>";
  entry.before_times += element;
  if (entry.canonical) entry.canonical->before_times += element;
  entry.id = std::move(id);
}

std::optional<Fault> add_terms(PreparedEntry& entry, const std::vector<std::string>& terms, const EntryRules& rules) {
  std::set<std::string> known;
  for (const std::string& term : entry.terms) known.insert(fold_case(term));
  std::string elements;
  for (const std::string& term : terms) {
    if (!known.insert(fold_case(term)).second) continue;
    const std::string element = "<category term=\"" + xml_attribute(term) + "\"></category>";
    if (!schema::admit(element)) return Fault{"a category's term has characters that XML does not allow"};
    elements += element;
    entry.terms.push_back(term);
  }
  if (std::optional<Fault> broken = check_terms(entry, rules)) return broken;
  entry.after_times.insert(0, elements);
  if (entry.canonical) entry.canonical->after_times.insert(0, elements);
  return std::nullopt;
}

}  // namespace courant::feeds
