#include "feeds/publish_call.h"

#include <algorithm>
#include <map>
#include <set>

#include "feeds/queries.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

std::string bytea(std::string_view bytes) {
  return "\\x" + to_hex(bytes);
}

// Items of one feed stand together, so that the function walks each feed once; arrival order stays within a feed, and
// so the items of a batch stay together.
void sort_by_feed(std::vector<PublishItem>& items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const PublishItem& a, const PublishItem& b) { return a.feed.feed < b.feed.feed; });
}

// What few items have: null where none has it. Such are traces, and times that another server gave.
template <class Value>
void add_rare(sql::Parameters& parameters, const std::vector<std::optional<Value>>& values) {
  const bool are_given = std::any_of(values.begin(), values.end(), [](const auto& value) { return value.has_value(); });
  are_given ? parameters.add(values) : parameters.add_null();
}

sql::Parameters parameters_of(const PublishCall& call, bool repeated, Instant now) {
  std::vector<std::int64_t> feeds;
  std::vector<std::string> ids, hashes, digests, salts, content_types, terms;
  std::vector<std::string_view> before, after, canonical_before, canonical_after;
  std::vector<std::optional<std::string>> media, traces;
  std::vector<std::optional<Instant>> updated, expires, recorded, published;
  std::vector<bool> needs_alternate;
  std::vector<std::int64_t> firsts, groups, kinds, expected, heads;
  std::map<std::pair<std::int64_t, std::string_view>, std::int64_t> first_items;  // by feed and id
  std::vector<bool> strict;
  for (std::size_t i = 0; i < call.items.size(); ++i) {
    const PreparedEntry& entry = *call.items[i].entry;
    feeds.push_back(call.items[i].feed.feed);
    ids.push_back(entry.id);
    hashes.push_back(id_hash(entry.id));
    const auto number = static_cast<std::int64_t>(i) + 1;
    firsts.push_back(first_items.try_emplace({call.items[i].feed.feed, entry.id}, number).first->second);
    digests.push_back(bytea(bytes_of(entry.content_digest)));
    salts.push_back(bytea(call.salts[i]));
    before.push_back(entry.before_times);
    after.push_back(entry.after_times);
    canonical_before.push_back(entry.canonical ? std::string_view(entry.canonical->before_times) : std::string_view());
    canonical_after.push_back(entry.canonical ? std::string_view(entry.canonical->after_times) : std::string_view());
    updated.push_back(entry.updated);
    expires.push_back(entry.expires);
    media.push_back(entry.media.empty() ? std::nullopt : std::optional(entry.media));
    traces.push_back(entry.trace.empty() ? std::nullopt : std::optional(entry.trace));
    recorded.push_back(call.items[i].recorded);
    published.push_back(call.items[i].published);
    content_types.push_back(entry.content_type);
    needs_alternate.push_back(entry.needs_alternate);
    groups.push_back(call.items[i].group);
    strict.push_back(call.items[i].is_strict);
    kinds.push_back(static_cast<std::int64_t>(call.items[i].change.kind));
    expected.push_back(call.items[i].change.expected);
    heads.push_back(call.items[i].change.head);
    std::set<std::string> folded;
    for (const std::string& term : entry.terms) folded.insert(fold_case(term));
    terms.push_back(sql::array_text({folded.begin(), folded.end()}));
  }
  sql::Parameters parameters;
  parameters.add(call.lane).add(call.name).add(now).add(repeated).add(feeds).add(ids).add(hashes).add(firsts);
  parameters.add(digests).add(salts).add_joined(before).add_joined(after).add_joined(canonical_before);
  parameters.add_joined(canonical_after).add(updated).add(content_types).add(needs_alternate).add(terms);
  parameters.add(groups).add(strict).add(kinds).add(expected).add(heads).add(expires);
  parameters.add(media);
  add_rare(parameters, recorded);
  add_rare(parameters, published);
  add_rare(parameters, traces);
  return parameters;
}

}  // namespace

std::string id_hash(std::string_view id) {
  const std::string hex = to_hex(bytes_of(sha256(id)).substr(0, 16));
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' +
         hex.substr(20);
}

PublishCall make_call(std::int64_t lane, std::vector<PublishItem> items, Instant now) {
  PublishCall call;
  call.name = uuid_v7(now);
  call.lane = lane;
  sort_by_feed(items);
  call.items = std::move(items);
  for (std::size_t i = 0; i < call.items.size(); ++i) call.salts.push_back(random_bytes(16));
  return call;
}

std::vector<Published> run_call(sql::Session& session, const PublishCall& call, bool repeated, Instant now) {
  const sql::Rows rows = session.run(queries::publish, parameters_of(call, repeated, now));
  std::vector<Published> results;
  for (int i = 0; i < rows.size(); ++i) {
    const sql::Row row = rows[i];
    Published result;
    result.outcome = static_cast<PublishOutcome>(row.integer(0));
    result.position = row.integer(1);
    if (!row.is_null(2)) {
      result.recorded = row.instant(2);
      result.published = row.instant(3);
      result.updated = row.instant(4);
      result.salt = row.hex(5);
      result.leaf = row.hex(6);
      result.chain = row.hex(7);
    }
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<Advance> advances_of(const PublishCall& call, const std::vector<Published>& results) {
  std::vector<Advance> advances;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!has_moved(results[i].outcome)) continue;
    if (advances.empty() || !(advances.back().feed == call.items[i].feed)) {
      advances.push_back({call.items[i].feed, results[i].position, results[i].position});
    }
    advances.back().first = std::min(advances.back().first, results[i].position);
    advances.back().last = std::max(advances.back().last, results[i].position);
  }
  return advances;
}

}  // namespace courant::feeds
