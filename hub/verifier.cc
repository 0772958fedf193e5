#include "hub/verifier.h"

#include "hub/attempts.h"
#include "hub/capability.h"
#include "hub/messages.h"
#include "kernel/log.h"

namespace courant::hub {
namespace {

constexpr int kAtOnce = 64;                          // verifications
constexpr std::chrono::seconds kPauseOfNotYet{5};    // at most, of a request whose topic is being looked at
constexpr std::chrono::seconds kPauseOfHeldBack{2};  // of a request whose callback's network has been asked enough

}  // namespace

Verifier::Verifier(Loop& loop, Dispatcher& dispatcher, std::function<void()> has_room)
    : loop_(loop),
      dispatcher_(dispatcher),
      retry_(loop.options.verification_retry),
      has_room_(std::move(has_room)),
      hosts_(static_cast<double>(loop.options.verifications.per_host)),
      domains_(static_cast<double>(loop.options.verifications.per_domain)),
      clients_(static_cast<double>(loop.options.verifications.per_client)),
      networks_(static_cast<double>(loop.options.verifications.per_network)),
      confirmed_(loop.metrics.counter("courant_hub_verifications_total", "Callbacks asked for their intent",
                                      {{"outcome", "confirmed"}})),
      refused_(loop.metrics.counter("courant_hub_verifications_total", "Callbacks asked for their intent",
                                    {{"outcome", "refused"}})),
      held_back_(loop.metrics.counter("courant_hub_verifications_total", "Callbacks asked for their intent",
                                      {{"outcome", "held_back"}})),
      seconds_(verification_seconds(loop.metrics)) {}

http::Task<void> Verifier::look() {
  if (is_looking_ || loop_.is_stopping) co_return;
  is_looking_ = true;
  ended_.clear();
  std::vector<PendingRequest> due;
  std::exception_ptr failure;
  try {
    const std::vector<std::int64_t> shards = loop_.shards.all();
    const std::int64_t per_domain = loop_.options.verifications.per_domain;
    const auto work = [this, &shards, per_domain](sql::Session& session) {
      return loop_.store.due_requests(session, shards, per_domain, 4 * kAtOnce);
    };
    due = co_await loop_.executor.run(work);
  } catch (...) {
    failure = std::current_exception();
  }
  is_looking_ = false;
  if (failure) std::rethrow_exception(failure);
  keep_share();
  are_left_ = false;
  for (PendingRequest& request : due) {
    if (loop_.is_stopping) co_return;
    if (active() >= kAtOnce) {
      are_left_ = true;
      co_return;
    }
    if (in_progress_.contains(request.number) || ended_.contains(request.number)) continue;
    if (!loop_.shards.owned(request.shard, loop_.clock.ticks())) continue;
    if (!take_turn(request)) continue;
    in_progress_.insert(request.number);
    loop_.start(verify(std::move(request)));
  }
}

// Subscriptions are spread over the shards, and so are those that somebody makes to flood one callback: a process with
// half of the shards takes half of what all may do together.
void Verifier::keep_share() {
  const double share = loop_.share();
  if (share <= 0) return;
  const VerificationRates& rates = loop_.options.verifications;
  hosts_.set_rate(static_cast<double>(rates.per_host) * share);
  domains_.set_rate(static_cast<double>(rates.per_domain) * share);
  clients_.set_rate(static_cast<double>(rates.per_client) * share);
  const std::lock_guard lock(mutex_);
  networks_.set_rate(static_cast<double>(rates.per_network) * share);
}

bool Verifier::take_turn(const PendingRequest& request) {
  const Ticks now = loop_.clock.ticks();
  const bool is_of_client = !request.client.empty();
  if (!hosts_.has_turn(request.callback_host, now) || !domains_.has_turn(request.callback_domain, now)) return false;
  if (is_of_client && !clients_.has_turn(request.client, now)) return false;
  hosts_.take(request.callback_host, now);
  domains_.take(request.callback_domain, now);
  if (is_of_client) clients_.take(request.client, now);
  return true;
}

// For the transport's thread: many names may lead to one place, which is known once they are looked up.
bool Verifier::admits(const http::Address& address) {
  const std::string network = http::neighbourhood(address).text();
  const Ticks now = loop_.clock.ticks();
  const std::lock_guard lock(mutex_);
  if (!networks_.has_turn(network, now)) return false;
  networks_.take(network, now);
  return true;
}

http::Task<void> Verifier::verify(PendingRequest request) {
  const std::int64_t number = request.number;
  std::exception_ptr failure;
  try {
    co_await ask(std::move(request));
  } catch (...) {
    failure = std::current_exception();  // the request waits in the database and is found again
  }
  in_progress_.erase(number);
  if (is_looking_) ended_.insert(number);
  if (are_left_ && active() <= kAtOnce / 2) {
    are_left_ = false;
    has_room_();
  }
  if (failure) std::rethrow_exception(failure);
}

http::Task<void> Verifier::ask(PendingRequest request) {
  if (request.is_subscribe && !loop_.source.still_allows(request.topic, request.identity)) {
    co_await drop(request);  // the subscription that there may be is ended by itself
    co_return;
  }
  Beginning beginning = co_await beginning_of(request);
  if (beginning.admission.answer == Admission::Answer::kNotYet) {
    // In this order: whoever gets the topic ready brings forward what he finds put off.
    co_await put_off(request, kPauseOfNotYet, false);
    beginning = co_await beginning_of(request);
    if (beginning.admission.answer == Admission::Answer::kNotYet) co_return;
  }
  if (beginning.admission.answer == Admission::Answer::kDenied) {
    co_await deny(request, beginning.admission.why);
    co_return;
  }
  Verification verification;
  verification.is_subscribe = request.is_subscribe;
  verification.topic = request.self;
  verification.callback = request.callback;
  verification.challenge = to_base64url(random_bytes(24));
  verification.lease = request.lease;
  verification.verify_token = request.verify_token;
  verification.position = beginning.position;
  const std::string token = make_token();
  if (request.is_subscribe) verification.page_url = page_url(loop_.options.hub_url, token);
  http::ClientRequest message = verification_request(verification, loop_.options.delivery_timeout);
  message.admits = [this](const http::Address& address) { return admits(address); };
  const http::ClientReply reply = co_await loop_.send(std::move(message));
  if (reply.outcome == http::ClientReply::Outcome::kStopped) co_return;
  seconds_.observe(std::chrono::duration<double>(reply.latency).count());
  if (confirms(reply, verification.challenge)) {
    confirmed_.add();
    co_await confirm(request, verification.position, token);
  } else if (reply.outcome == http::ClientReply::Outcome::kHeldBack) {
    held_back_.add();
    co_await put_off(request, kPauseOfHeldBack, false);
  } else {
    refused_.add();
    co_await disappointed(request, reply);
  }
}

http::Task<void> Verifier::deny(const PendingRequest& request, const std::string& why) {
  log_info("a subscription is denied",
           {{"topic", request.topic.canonical}, {"host", request.callback_host}, {"why", why}});
  http::ClientRequest message = denial_request(request.callback, request.self, why, loop_.options.delivery_timeout);
  message.admits = [this](const http::Address& address) { return admits(address); };
  const http::ClientReply reply = co_await loop_.send(std::move(message));
  if (reply.outcome == http::ClientReply::Outcome::kStopped) co_return;
  if (reply.outcome == http::ClientReply::Outcome::kHeldBack) {
    co_await put_off(request, kPauseOfHeldBack, false);
  } else {
    co_await drop(request);
  }
}

// From where the subscription will deliver: a new one, which has to be admitted, from what is published from now on,
// before its callback is asked; one that there is goes on where it stands.
http::Task<Verifier::Beginning> Verifier::beginning_of(const PendingRequest& request) {
  if (request.subscription) {
    if (const std::optional<std::int64_t> told = dispatcher_.told(*request.subscription))
      co_return Beginning{{}, *told};
  }
  const auto find = [this, &request](sql::Session& session) {
    Beginning beginning;
    if (request.is_subscribe && !request.subscription) {
      beginning.admission = loop_.source.admission(session, request.topic);
    }
    beginning.position = loop_.source.position(session, request.topic);
    return beginning;
  };
  Beginning beginning = co_await loop_.executor.run(find);
  co_return beginning;
}

http::Task<void> Verifier::confirm(const PendingRequest& request, std::int64_t position, const std::string& token) {
  const std::optional<ShardEpoch> owner = loop_.shards.held(request.shard);
  if (!owner) co_return;  // its new owner asks again
  if (!request.is_subscribe) {
    const auto end = [this, &request, owner](sql::Session& session) {
      return loop_.store.confirm_end(session, request.number, *owner);
    };
    const std::optional<std::int64_t> ended = co_await loop_.executor.run(end);
    if (ended) dispatcher_.forget(*ended);
    log_info("unsubscription verified", {{"topic", request.topic.canonical}, {"host", request.callback_host}});
    co_return;
  }
  const Instant now = loop_.clock.now();
  const auto work = [this, &request, owner, now, position, &token](sql::Session& session) {
    std::optional<Subscription> made =
        loop_.store.confirm(session, request.number, *owner, now, now + request.lease, position, capability_of(token));
    if (made) made->terms = loop_.source.required_terms(made->topic);
    return made;
  };
  std::optional<Subscription> subscription = co_await loop_.executor.run(work);
  if (!subscription || loop_.shards.held(request.shard) != owner) co_return;  // its new owner loads it
  log_info(
      "subscription verified",
      {{"topic", request.topic.canonical}, {"host", request.callback_host}, {"subscription", subscription->number}});
  dispatcher_.adopt(*std::move(subscription));
}

http::Task<void> Verifier::disappointed(const PendingRequest& request, const http::ClientReply& reply) {
  using Outcome = http::ClientReply::Outcome;
  const bool is_answered = reply.outcome == Outcome::kAnswered;
  const bool is_final = (is_answered && reply.status == 404) || reply.outcome == Outcome::kForbidden ||
                        request.attempts >= static_cast<std::int64_t>(loop_.options.verification_retry.size());
  const std::chrono::milliseconds pause = retry_.pause(static_cast<int>(request.attempts) + 1, 0.5);
  log_info("a callback did not confirm",
           {{"topic", request.topic.canonical},
            {"host", request.callback_host},
            {"outcome", is_answered ? std::to_string(reply.status) : std::string(http::outcome_name(reply.outcome))},
            {"detail", reply.detail},
            {"next_in", is_final ? std::string("never") : format_duration(pause)}});
  if (!is_final) {
    co_await put_off(request, pause, true);
    co_return;
  }
  co_await drop(request);
}

http::Task<void> Verifier::drop(const PendingRequest& request) {
  const auto work = [this, &request](sql::Session& session) {
    loop_.store.drop_request(session, request.number);
    return true;
  };
  co_await loop_.executor.run(work);
}

http::Task<void> Verifier::put_off(const PendingRequest& request, std::chrono::milliseconds pause, bool was_tried) {
  const auto work = [this, &request, pause, was_tried](sql::Session& session) {
    loop_.store.put_off_request(session, request.number, pause, was_tried);
    return true;
  };
  co_await loop_.executor.run(work);
}

}  // namespace courant::hub
