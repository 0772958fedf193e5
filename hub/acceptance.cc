#include "hub/acceptance.h"

#include <algorithm>
#include <utility>

#include "http/url_host.h"
#include "hub/form.h"
#include "kernel/problem.h"

namespace courant::hub {

http::Task<int> Acceptance::take(std::string body, std::string identity, std::string client) {
  const HubOptions& options = *options_;
  const HubRequest form = parse_form(body, options.allow_http);
  if (form.publisher) {
    for (const std::string& topic : form.publisher->topics) loop_.source.require_access(topic, identity);
    const auto tell = [this, &form](sql::Session& session) {
      for (const std::string& topic : form.publisher->topics) {
        if (!loop_.source.pinged(session, topic)) throw Problem(403, topic + " is not a topic of this hub");
      }
      return true;
    };
    co_await loop_.executor.run(tell);
    co_return kIsTold;
  }
  const SubscriberRequest& asked = *form.subscriber;
  loop_.source.require_access(asked.topic, identity);
  if (const std::optional<std::string> why = guard_->refusal_of_literal(asked.callback_parts)) {
    throw Problem(400, "hub.callback cannot be called: " + *why);
  }
  NewRequest request;
  request.is_subscribe = asked.is_subscribe;
  request.self = asked.topic;
  request.callback = asked.callback;
  const Result<http::UrlHost> host = http::read_host(asked.callback_parts.host);
  if (!host) throw Problem(400, "hub.callback cannot be called: " + host.fault().detail);
  request.callback_host = host->name;
  request.callback_domain = host->address ? host->name : domains_.of(host->name);
  request.secret = asked.secret;
  request.identity = std::move(identity);
  request.client = http::counted_address(client);
  request.lease = std::clamp(asked.lease.value_or(options.lease_default), options.lease_min, options.lease_max);
  request.verify_token = asked.verify_token;
  request.renews = asked.is_old_style;
  const auto put = [this, &options, &request](sql::Session& session) {
    const std::optional<Topic> topic = loop_.source.find(session, request.self);
    if (!topic) throw Problem(403, request.self + " is not a topic of this hub");
    request.topic = loop_.source.bound_topic(session, *topic, request.identity);
    const Quota quota = loop_.source.quota(request.topic);
    request.owner = quota.owner;
    Counts limits = options.limits;
    limits.of_owner = quota.most;
    const auto count = [this, &session, &request](const Counts& asked_for) {
      Counts counts = loop_.store.count(session, request, loop_.all_shards, asked_for);
      if (asked_for.of_owner > 0) counts.of_owner = loop_.source.subscriptions_within(session, request.topic);
      return counts;
    };
    const Counts counts = counts_.of(request, limits, loop_.clock.ticks(), count);
    refuse_beyond(limits, counts, request.is_subscribe);
    refuse_beyond(quota, counts, request.is_subscribe);
    if (request.is_subscribe) request.topic = loop_.source.keep(session, request.topic);
    loop_.store.put_request(session, request, loop_.all_shards);
    counts_.add(request);
    return true;
  };
  co_await loop_.executor.run(put);
  co_return kWillBeAsked;
}

}  // namespace courant::hub
