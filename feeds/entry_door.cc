#include "feeds/entry_door.h"

#include <algorithm>

#include "feeds/atom_rules.h"
#include "kernel/log.h"
#include "kernel/problem.h"
#include "kernel/text.h"
#include "schema/breach.h"
#include "schema/canonical.h"

namespace courant::feeds {
namespace {

using schema::Element;
using End = xslt::Transformation::End;

bool is_atom_element(const Element& element, std::string_view name) {
  return element.namespace_uri() == kAtomNamespace && element.name() == name;
}

// element: counted from the entry.
Fault fault_in_source(std::string detail, const Source& source, std::size_t element) {
  const schema::Place place =
      source.bytes.empty() ? schema::Place{} : schema::place_of(source.bytes, source.element + element);
  return {std::move(detail), place.line, place.column};
}

Fault fault_of_breach(const schema::Grammar& grammar, const schema::Breach& breach, const Source& source,
                      std::size_t element) {
  return fault_in_source("the schema " + grammar.name() + " refuses the element " + breach.name + ": " + breach.rule,
                         source, element + breach.element);
}

// The root element of XML content; nullopt: there is none, or it is XHTML.
std::optional<Element> content_root(const Element& entry) {
  for (const Element& child : entry.children()) {
    if (!is_atom_element(child, "content") || child.attribute("type").value_or("text") == "xhtml") continue;
    const std::vector<Element> inside = child.children();
    if (!inside.empty()) return inside.front();
  }
  return std::nullopt;
}

// The fault, counted.
Fault refused(const Circumstances& around, Refusal why, Fault fault) {
  around.count(why);
  return fault;
}

// What `work` returns; how long it took is counted.
template <class Work>
auto timed(const Circumstances& around, DoorStep step, Work work) {
  return around.tally != nullptr ? around.tally->timed(step, work) : work();
}

xslt::Stylesheet::Parameters stylesheet_parameters(const Circumstances& around) {
  return {{"workspace", around.workspace},
          {"feed", around.feed},
          {"identity", around.identity},
          {"time", format_rfc3339(around.time)}};
}

}  // namespace

Result<EntryDoor> EntryDoor::compile(const DoorSettings& settings, const Folder& folder) {
  EntryDoor door;
  for (const std::string& name : settings.schema) {
    Result<schema::Grammar> grammar = schema::Grammar::load(folder, name);
    if (!grammar) return grammar.fault();
    const bool is_of_entries = grammar->is_for(kAtomNamespace);
    (is_of_entries ? door.entry_grammars_ : door.content_grammars_).push_back(*std::move(grammar));
  }
  schema::Prefixes prefixes;
  for (const std::string& binding : settings.namespaces) {
    const std::size_t equals = binding.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == binding.size()) {
      return Fault{"a namespace is bound as \"prefix=address\", not as " + binding};
    }
    prefixes[binding.substr(0, equals)] = binding.substr(equals + 1);
  }
  Result<schema::Assertions> assertions = schema::Assertions::compile(settings.assertions, prefixes);
  if (!assertions) return assertions.fault();
  door.assertions_ = *std::move(assertions);
  for (const std::string& one : settings.reserved) {
    const bool is_scheme = one.size() > 2 && one.front() == '{' && one.back() == '}';
    if (one.empty()) return Fault{"a reserved category is the beginning of a term, or a {scheme}: not nothing"};
    if (is_scheme) {
      door.reserved_schemes_.push_back(one.substr(1, one.size() - 2));
    } else {
      door.reserved_prefixes_.push_back(fold_case(one));
    }
  }
  if (!settings.stylesheet.empty()) {
    Result<xslt::Stylesheet> stylesheet = xslt::Stylesheet::load(folder, settings.stylesheet);
    if (!stylesheet) return stylesheet.fault();
    door.stylesheet_ = *std::move(stylesheet);
  }
  return door;
}

Result<PreparedEntry> EntryDoor::read(schema::Document sent, const EntryRules& rules, const Circumstances& around,
                                      const Source& source) const {
  std::optional<Refused> breach = breach_of(sent, around, source);
  std::vector<std::string> taken;
  std::optional<Fault> reserved = take_reserved(sent, around, source, taken);
  // An entry that came alone is the bytes that it came as.
  const bool is_whole = source.element == 0 && !source.bytes.empty() && taken.empty();
  std::string text;
  if (stylesheet_) text = is_whole ? std::string(source.bytes) : schema::written(sent);
  Result<PreparedEntry> read = read_entry(std::move(sent), rules);
  if (!read) return refused(around, Refusal::kAtom, read.fault());
  if (reserved) return refused(around, Refusal::kCategory, *std::move(reserved));
  if (breach) return refused(around, breach->why, std::move(breach->fault));
  if (!stylesheet_) return read;

  Result<PreparedEntry> made = made_of(text, rules, around, taken);
  if (!made) return made.fault();
  if (made->id != read->id && !made->id.empty()) {
    // A retry is known by the id: it must come out the same at another time.
    Circumstances later = around;
    later.time += std::chrono::hours(1);
    const Result<PreparedEntry> again = made_of(text, rules, later, taken);
    if (!again || again->id != made->id) {
      if (again) around.count(Refusal::kFailure);
      log_error("the feed's stylesheet makes another id each time: no retry could be recognised, nothing is stored",
                {{"request", around.request}, {"feed", around.workspace + "/" + around.feed}, {"id", made->id}});
      throw Problem(500, "The feed's stylesheet makes another id of the same entry each time");
    }
  }
  made->content_digest = read->content_digest;
  return made;
}

std::optional<EntryDoor::Refused> EntryDoor::breach_of(const schema::Document& entry, const Circumstances& around,
                                                       const Source& source) const {
  if (!entry_grammars_.empty() || !content_grammars_.empty()) {
    std::optional<Fault> fault =
        timed(around, DoorStep::kSchema, [&] { return breach_of_schemas(entry, around.patience, source); });
    if (fault) return Refused{Refusal::kGrammar, *std::move(fault)};
  }
  if (assertions_.empty()) return std::nullopt;
  std::optional<std::string> broken =
      timed(around, DoorStep::kAssertions, [&] { return assertions_.broken_by(entry, around.patience); });
  if (broken) return Refused{Refusal::kAssertion, fault_in_source(*std::move(broken), source, 0)};
  return std::nullopt;
}

std::optional<Fault> EntryDoor::breach_of_schemas(const schema::Document& entry, const schema::Patience& patience,
                                                  const Source& source) const {
  for (const schema::Grammar& grammar : entry_grammars_) {
    const std::optional<schema::Breach> breach = grammar.breach_of(entry, patience);
    if (breach) return fault_of_breach(grammar, *breach, source, 0);
  }
  return breach_of_content(entry, patience, source);
}

std::optional<Fault> EntryDoor::breach_of_content(const schema::Document& entry, const schema::Patience& patience,
                                                  const Source& source) const {
  if (content_grammars_.empty()) return std::nullopt;
  const std::optional<Element> root = content_root(Element::root_of(entry));
  if (!root) return std::nullopt;
  bool is_judged = false;
  for (const schema::Grammar& grammar : content_grammars_) {
    if (!grammar.is_for(root->namespace_uri()) && !grammar.is_for_any()) continue;
    is_judged = true;
    const std::optional<schema::Breach> breach = grammar.breach_of(*root, patience);
    if (breach) return fault_of_breach(grammar, *breach, source, root->number());
  }
  if (is_judged) return std::nullopt;
  std::string known;
  for (const schema::Grammar& grammar : content_grammars_) known += (known.empty() ? "" : ", ") + grammar.namespaces();
  const std::string uri(root->namespace_uri());
  return fault_in_source("no schema of this feed is for the content's element " + std::string(root->name()) + " in " +
                             (uri.empty() ? "no namespace" : "the namespace " + uri) + ": there are some for " + known,
                         source, root->number());
}

bool EntryDoor::is_reserved(const Element& category) const {
  const std::string term = fold_case(category.attribute("term").value_or(""));
  const std::optional<std::string> scheme = category.attribute("scheme");
  const auto begins = [&term](const std::string& prefix) { return term.starts_with(prefix); };
  return std::ranges::any_of(reserved_prefixes_, begins) ||
         (scheme && std::ranges::find(reserved_schemes_, *scheme) != reserved_schemes_.end());
}

std::optional<Fault> EntryDoor::take_reserved(schema::Document& entry, const Circumstances& around,
                                              const Source& source, std::vector<std::string>& taken) const {
  if (reserved_prefixes_.empty() && reserved_schemes_.empty()) return std::nullopt;
  for (Element& child : Element::root_of(entry).children()) {
    if (!is_atom_element(child, "category") || !is_reserved(child)) continue;
    const std::string term = child.attribute("term").value_or("");
    if (!around.is_edit || !stylesheet_) {
      return fault_in_source("the category " + term + " is one that only the feed itself gives: leave it out", source,
                             child.number());
    }
    taken.push_back(term);
    child.remove();
  }
  return std::nullopt;
}

Result<PreparedEntry> EntryDoor::made_of(const std::string& text, const EntryRules& rules, const Circumstances& around,
                                         const std::vector<std::string>& taken) const {
  xslt::Limits limits;
  limits.time = around.patience.time;
  const xslt::Transformation made = timed(around, DoorStep::kStylesheet, [&] {
    return stylesheet_->transform(text, stylesheet_parameters(around), limits);
  });
  if (made.end == End::kStopped && around.patience.is_first_try) throw schema::OutOfPatience();
  if (around.tally != nullptr) around.tally->ended(DoorTally::Of::kDoor, made.end);
  if (made.end == End::kRefused) {
    return refused(around, Refusal::kStylesheet,
                   Fault{made.text.empty() ? "the feed's stylesheet refuses the entry" : made.text});
  }
  const std::string feed = around.workspace + "/" + around.feed;
  if (made.end != End::kDone) {
    log_error("the feed's stylesheet failed, nothing is stored",
              {{"request", around.request}, {"feed", feed}, {"why", made.text}});
    const bool is_told = made.end == End::kStopped;
    around.count(is_told ? Refusal::kBound : Refusal::kFailure);
    throw Problem(500, "The feed's stylesheet failed on this entry" + (is_told ? ": " + made.text : std::string()));
  }
  Result<PreparedEntry> read = read_made(made.text, rules, around, taken);
  if (read) return read;
  log_warning("an entry was refused for what the feed's stylesheet makes of it",
              {{"request", around.request}, {"feed", feed}, {"why", read.fault().detail}});
  return refused(around, Refusal::kResult,
                 Fault{"what the feed's stylesheet makes of the entry cannot be stored: " + read.fault().detail});
}

Result<PreparedEntry> EntryDoor::read_made(const std::string& text, const EntryRules& rules,
                                           const Circumstances& around, const std::vector<std::string>& taken) const {
  schema::DoorLimits limits;
  limits.max_bytes = rules.max_bytes;
  Result<schema::Document> document = schema::admit(text, limits);
  if (!document) return document.fault();
  if (std::optional<Refused> breach = breach_of(*document, around, Source{})) return std::move(breach->fault);
  Result<PreparedEntry> made = read_entry(*std::move(document), rules);
  if (!made) return made;
  const auto is_missing = [&made](const std::string& term) {
    return std::ranges::find(made->terms, term) == made->terms.end();
  };
  const auto missing = std::ranges::find_if(taken, is_missing);
  if (missing == taken.end()) return made;
  return Fault{"the category " + *missing +
               " is one that only the feed itself gives, and it does not give it to this entry"};
}

}  // namespace courant::feeds
