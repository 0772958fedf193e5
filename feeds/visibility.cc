#include "feeds/visibility.h"

#include <algorithm>
#include <vector>

#include "feeds/feed_view.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

std::vector<std::string> folded(const std::vector<std::string>& terms) {
  std::vector<std::string> out;
  out.reserve(terms.size());
  for (const std::string& term : terms) out.push_back(fold_case(term));
  return out;
}

bool is_required(const Filter& bound, const std::string& term) {
  return std::ranges::any_of(bound.required(), [&term](const std::vector<std::string>& any) {
    return std::ranges::find(any, term) != any.end();
  });
}

// A term with what stands before its last colon: "tid:" of "tid:2882". Empty: it has none.
std::string_view family_of(std::string_view term) {
  return term.substr(0, term.rfind(':') + 1);
}

// The first term that stands beside those which the bound requires: of the same family, and none of them. Whoever is
// bound to "tid:1" would put an entry before the eyes of who is bound to "tid:2". Empty: there is none.
std::string term_of_others(const Filter& bound, const std::vector<std::string>& terms) {
  for (const std::vector<std::string>& any : bound.required()) {
    for (const std::string& own : any) {
      const std::string_view family = family_of(own);
      if (family.empty()) continue;
      for (const std::string& term : terms) {
        if (family_of(term) == family && !is_required(bound, term)) return term;
      }
    }
  }
  return "";
}

}  // namespace

const access::Identity& asker_of(const http::Request& request) {
  static const access::Identity kNobody = access::Identity::anonymous();
  return request.identity ? *request.identity : kNobody;
}

void bind_to(PageQuery& query, const access::Identity& asker) {
  if (!asker.is_filtered()) return;
  const Filter bound = Filter::parse(asker.filter());
  query.bound = bound.canonical();
  query.filter = query.filter ? Filter::both(*query.filter, bound) : bound;
}

bool sees(const access::Identity& asker, const StoredEntry& entry) {
  return is_within(entry, asker.filter());
}

bool is_within(const StoredEntry& entry, const std::string& bound) {
  if (bound.empty()) return true;
  if (entry.is_tombstone) return false;
  return Filter::parse(bound).matches(folded(view_of_entry(entry.xml).categories));
}

void require_within(const access::Identity& publisher, std::span<const PreparedEntry> entries) {
  if (!publisher.is_filtered()) return;
  const Filter bound = Filter::parse(publisher.filter());
  std::vector<EntryProblem> outside;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::vector<std::string> terms = folded(entries[i].terms);
    if (!bound.matches(terms)) {
      outside.push_back({i, entries[i].id, "", "its categories do not match " + publisher.filter()});
    } else if (const std::string others = term_of_others(bound, terms); !others.empty()) {
      outside.push_back({i, entries[i].id, "", "its category " + others + " is for others to see"});
    }
  }
  if (outside.empty()) return;
  Problem problem(403, "This token publishes and edits only entries whose categories match " + publisher.filter() +
                           ", and none with another category of that kind");
  if (entries.size() > 1) throw std::move(problem).with_entries(std::move(outside));
  throw std::move(problem);
}

bool is_listed(const http::Request& request, const std::string& workspace, const WorkspaceSettings& settings) {
  return !request.identity || !settings.is_private || request.identity->knows(workspace);
}

bool is_listed(const http::Request& request, const std::string& workspace, const WorkspaceSettings& settings,
               const std::string& feed) {
  return !request.identity || !settings.is_private || request.identity->knows(workspace, feed);
}

}  // namespace courant::feeds
