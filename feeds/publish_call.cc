#include "feeds/publish_call.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>
#include <string_view>
#include <unordered_set>

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

// What is stored of the items, as parallel arrays.
struct Contents {
  explicit Contents(const PublishCall& call) {
    for (std::size_t i = 0; i < call.items.size(); ++i) {
      const PreparedEntry& entry = *call.items[i].entry;
      ids.push_back(entry.id);
      hashes.push_back(id_hash(entry.id));
      digests.push_back(bytea(bytes_of(entry.content_digest)));
      salts.push_back(bytea(call.salts[i]));
      before.push_back(entry.before_times);
      after.push_back(entry.after_times);
      canonical_before.push_back(entry.canonical ? std::string_view(entry.canonical->before_times)
                                                 : std::string_view());
      canonical_after.push_back(entry.canonical ? std::string_view(entry.canonical->after_times) : std::string_view());
      updated.push_back(entry.updated);
      expires.push_back(entry.expires);
      traces.push_back(entry.trace.empty() ? std::nullopt : std::optional(entry.trace));
      content_types.push_back(entry.content_type);
      needs_alternate.push_back(entry.needs_alternate);
      std::set<std::string> folded;
      for (const std::string& term : entry.terms) folded.insert(fold_case(term));
      terms.push_back(sql::array_text({folded.begin(), folded.end()}));
    }
  }

  std::vector<std::string> ids, hashes, digests, salts, content_types, terms;
  std::vector<std::string_view> before, after, canonical_before, canonical_after;
  std::vector<std::optional<Instant>> updated, expires;
  std::vector<std::optional<std::string>> traces;
  std::vector<bool> needs_alternate;
};

sql::Parameters parameters_of(const PublishCall& call, const Contents& all, bool repeated, Instant now) {
  std::vector<std::int64_t> feeds, firsts, groups, kinds, expected, heads;
  std::vector<std::optional<std::string>> media;
  std::vector<std::optional<Instant>> recorded, published;
  std::map<std::pair<std::int64_t, std::string_view>, std::int64_t> first_items;  // by feed and id
  std::vector<bool> strict;
  for (const PublishItem& item : call.items) {
    feeds.push_back(item.feed.feed);
    const auto number = static_cast<std::int64_t>(feeds.size());
    firsts.push_back(first_items.try_emplace({item.feed.feed, item.entry->id}, number).first->second);
    media.push_back(item.entry->media.empty() ? std::nullopt : std::optional(item.entry->media));
    recorded.push_back(item.recorded);
    published.push_back(item.published);
    groups.push_back(item.group);
    strict.push_back(item.is_strict);
    kinds.push_back(static_cast<std::int64_t>(item.change.kind));
    expected.push_back(item.change.expected);
    heads.push_back(item.change.head);
  }
  sql::Parameters parameters;
  parameters.add(call.lane).add(call.name).add(now).add(repeated).add(feeds).add(all.ids).add(all.hashes).add(firsts);
  parameters.add(all.digests).add(all.salts).add_joined(all.before).add_joined(all.after);
  parameters.add_joined(all.canonical_before).add_joined(all.canonical_after).add(all.updated);
  parameters.add(all.content_types).add(all.needs_alternate).add(all.terms);
  parameters.add(groups).add(strict).add(kinds).add(expected).add(heads).add(all.expires);
  parameters.add(media);
  add_rare(parameters, recorded);
  add_rare(parameters, published);
  add_rare(parameters, all.traces);
  return parameters;
}

// Whether publish_new() may be asked: whether there is nothing to decide, unless an id is stored already.
bool seems_new(const PublishCall& call) {
  std::unordered_set<std::string_view> ids;
  return std::ranges::all_of(call.items, [&](const PublishItem& item) {
    return item.feed == call.items.front().feed && item.change.kind == Change::Kind::kEntry &&
           item.change.head == Change::kAnywhere && item.entry->media.empty() && !item.recorded && !item.published &&
           ids.insert(item.entry->id).second;
  });
}

// Empty: it is for publish_items() to decide, nothing was stored.
std::vector<Published> run_new(sql::Session& session, const PublishCall& call, const Contents& all, Instant now) {
  sql::Parameters parameters;
  parameters.add(call.lane).add(call.name).add(now).add(call.items.front().feed.feed).add(all.ids).add(all.hashes);
  parameters.add(all.digests).add(all.salts).add_joined(all.before).add_joined(all.after);
  parameters.add_joined(all.canonical_before).add_joined(all.canonical_after);
  add_rare(parameters, all.updated);
  parameters.add(all.content_types).add(all.needs_alternate).add(all.terms);
  add_rare(parameters, all.expires);
  add_rare(parameters, all.traces);
  const sql::Rows rows = session.run(queries::publish_new, parameters);
  std::vector<Published> results;
  for (int i = 0; i < rows.size(); ++i) {
    const auto index = static_cast<std::size_t>(i);
    const sql::Row row = rows[i];
    Published& result = results.emplace_back();
    result.outcome = PublishOutcome::kCreated;
    result.position = row.integer(0);
    result.recorded = result.published = row.instant(1);
    result.updated = call.items[index].entry->updated.value_or(result.recorded);
    result.salt = to_hex(call.salts[index]);
    result.leaf = row.hex(2);
    result.chain = row.hex(3);
  }
  return results;
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
  const Contents all(call);
  std::vector<Published> results;
  if (!repeated && seems_new(call)) results = run_new(session, call, all, now);
  if (!results.empty()) return results;
  const sql::Rows rows = session.run(queries::publish, parameters_of(call, all, repeated, now));
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
