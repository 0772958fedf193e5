#include "hub/operator_store.h"

#include "hub/owner_store.h"
#include "hub/queries.h"

namespace courant::hub {
namespace {

ListedSubscription listed(const sql::Row& row) {
  ListedSubscription one;
  one.number = row.integer(0);
  if (!row.is_null(1)) one.feed = row.text(1);
  one.topic = row.text(2);
  const std::string callback(row.text(3));
  const std::size_t query = callback.find('?');
  one.callback = query == std::string::npos ? callback : callback.substr(0, query) + "?...";
  one.identity = row.text(4);
  one.verified = row.instant(5);
  one.lease_until = row.instant(6);
  one.position = row.integer(7);
  one.failures = row.integer(8);
  if (!row.is_null(9)) one.next_attempt = row.instant(9);
  one.state = row.boolean(10) ? "paused" : one.failures > 0 ? "failing" : "delivering";
  if (!row.is_null(11)) one.head = row.integer(11);
  if (!row.is_null(12)) one.floor = row.integer(12);
  return one;
}

std::vector<ListedSubscription> listed(sql::Session& session, const SubscriptionQuery& query, std::int64_t number) {
  sql::Parameters parameters;
  parameters.add(query.after).add(query.topic).add(query.state).add(query.limit).add(number);
  const sql::Rows rows = session.run(queries::list_subscriptions, parameters);
  std::vector<ListedSubscription> list;
  for (int i = 0; i < rows.size(); ++i) list.push_back(listed(rows[i]));
  return list;
}

bool ask(sql::Session& session, std::int64_t number, ChangeKind kind, std::optional<std::int64_t> position) {
  sql::Parameters parameters;
  parameters.add(number).add(name_of(kind));
  position ? parameters.add(*position) : parameters.add_null();
  return !session.run(queries::ask_number, parameters).empty();
}

}  // namespace

std::vector<ListedSubscription> list_subscriptions(sql::Session& session, const SubscriptionQuery& query) {
  return listed(session, query, 0);
}

std::optional<ListedSubscription> find_subscription(sql::Session& session, std::int64_t number) {
  if (number <= 0) return std::nullopt;
  std::vector<ListedSubscription> found = listed(session, {}, number);
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

bool pause_subscription(sql::Session& session, std::int64_t number, bool is_paused) {
  return !session.run(queries::pause_number, sql::Parameters().add(number).add(is_paused)).empty();
}

bool test_subscription(sql::Session& session, std::int64_t number) {
  return ask(session, number, ChangeKind::kTest, std::nullopt);
}

bool replay_subscription(sql::Session& session, std::int64_t number, std::int64_t position) {
  return ask(session, number, ChangeKind::kReplay, position);
}

bool remove_subscription(sql::Session& session, std::int64_t number) {
  return !session.run(queries::remove_number, sql::Parameters().add(number)).empty();
}

}  // namespace courant::hub
