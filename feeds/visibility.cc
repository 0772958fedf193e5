#include "feeds/visibility.h"

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
    if (bound.matches(folded(entries[i].terms))) continue;
    outside.push_back({i, entries[i].id, "", "its categories do not match " + publisher.filter()});
  }
  if (outside.empty()) return;
  Problem problem(403, "This token publishes and edits only entries whose categories match " + publisher.filter());
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
