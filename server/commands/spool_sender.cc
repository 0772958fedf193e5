#include "server/commands/spool_sender.h"

#include <algorithm>
#include <thread>

#include "kernel/time.h"

namespace courant::server {
namespace {

using http::ClientReply;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Between attempts; the last one repeats. Spread by chance, so that many publishers do not come back together.
const std::vector<milliseconds> kPauses = {milliseconds(200),    milliseconds(500),   milliseconds(1000),
                                           milliseconds(2000),   milliseconds(5000),  milliseconds(10'000),
                                           milliseconds(20'000), milliseconds(30'000)};
constexpr milliseconds kLook{1000};     // how often new entries of other processes are looked for while feeds fail
constexpr milliseconds kTurnLook{100};  // how often the turn is asked for

enum class Verdict { kCreated, kKnown, kRefused, kTemporary };

// Only what the feed itself says counts as stored: a 200 of a portal on the way carries no position or location.
Verdict verdict_of(const ClientReply& reply) {
  if (reply.outcome != ClientReply::Outcome::kAnswered) return Verdict::kTemporary;
  const bool has_place = reply.header("Feed-Position").has_value() || reply.header("Location").has_value();
  if (reply.status == 201 && has_place) return Verdict::kCreated;
  if (reply.status == 200 && has_place) return Verdict::kKnown;
  // With duplicates = "conflict" the same content is 409 too; then the answer says where it stands.
  if (reply.status == 409 && reply.header("Feed-Position")) return Verdict::kKnown;
  const bool is_temporary = reply.status == 408 || reply.status == 425 || reply.status == 429;
  return reply.status / 100 == 4 && !is_temporary ? Verdict::kRefused : Verdict::kTemporary;
}

}  // namespace

SpoolSender::SpoolSender(Spool& spool, SendingOptions options)
    : spool_(spool), options_(std::move(options)), law_(kPauses), progress_(steady_clock::now()) {}

Sent SpoolSender::send_all() {
  if (!wait_for_turn()) return sent_;
  for (;;) {
    const std::vector<std::string> names = spool_.waiting();
    if (names.empty()) return sent_;
    const Ticks before = progress_;
    Ticks next = Ticks::max();
    held_.clear();
    for (const std::string& name : names) {
      const std::optional<Ticks> again = send_group(name);
      next = std::min(next, again.value_or(next));
    }
    if (progress_ != before || next == Ticks::max()) continue;
    if (is_patience_over(next)) return sent_;
    std::this_thread::sleep_until(std::min(next, steady_clock::now() + kLook));
  }
}

// One process sends at a time, else the order would be lost. False: another one does, and has sent everything, or
// makes no progress.
bool SpoolSender::wait_for_turn() {
  std::size_t count = 0;
  bool is_said = false;
  while (!(turn_ = spool_.try_sending())) {
    if (!is_said) options_.say("another process sends from " + spool_.folder().string() + ": waiting for it");
    is_said = true;
    const std::size_t waiting = spool_.count();
    if (waiting == 0) return false;  // it has sent everything
    if (waiting != count) note_progress();
    count = waiting;
    if (is_patience_over(steady_clock::now())) return false;
    std::this_thread::sleep_for(kTurnLook);
  }
  return true;
}

// When to try again; nullopt: nothing of it waits any more.
std::optional<SpoolSender::Ticks> SpoolSender::send_group(const std::string& name) {
  const std::optional<Result<SpooledGroup>> loaded = spool_.load(name);
  if (!loaded) {
    spool_.clear(name);
    return std::nullopt;
  }
  if (!*loaded) {
    spool_.refuse(name, loaded->fault().detail);
    ++sent_.refused;
    options_.say(name + " was put into " + spool_.refused_folder().string() + ": " + loaded->fault().detail);
    note_progress();
    return std::nullopt;
  }
  const SpooledGroup& group = **loaded;
  // Held for the whole round: should its pause end meanwhile, its oldest entry is still the first to go.
  if (const auto held = held_.find(group.feed_url); held != held_.end()) return held->second;
  if (const auto failing = failing_.find(group.feed_url); failing != failing_.end()) {
    const Ticks again = failing->second.not_before;
    if (steady_clock::now() < again) return held_[group.feed_url] = again;
  }
  for (const SpooledEntry& entry : group.entries) {
    if (!send_entry(group, entry)) return held_[group.feed_url] = failing_.at(group.feed_url).not_before;
    note_progress();
    options_.show_progress(sent_.created + sent_.known + sent_.refused);
  }
  spool_.clear(name);
  return std::nullopt;
}

// False: not now.
bool SpoolSender::send_entry(const SpooledGroup& group, const SpooledEntry& entry) {
  const auto refuse = [&](const std::string& reason) {
    spool_.refuse(group, entry, reason);
    ++sent_.refused;
    options_.say(entry.source + " was put into " + spool_.refused_folder().string() + ": " + reason);
    return true;
  };
  Result<std::string> bytes = spool_.read(group, entry);
  if (!bytes) return refuse(bytes.fault().detail);
  http::ClientRequest request = posting_of(group.feed_url, group.key_of(entry), *std::move(bytes));
  request.deadline = options_.attempt;
  const ClientReply reply = asking_.ask(request);
  const Verdict verdict = verdict_of(reply);
  if (verdict == Verdict::kTemporary) {
    note_failure(group.feed_url, reply);
    return false;
  }
  failing_.erase(group.feed_url);
  if (verdict == Verdict::kRefused) return refuse(reason_of(reply));
  ++(verdict == Verdict::kCreated ? sent_.created : sent_.known);
  spool_.remove(group, entry);
  return true;
}

void SpoolSender::note_failure(const std::string& feed_url, const ClientReply& reply) {
  Failing& failing = failing_[feed_url];
  milliseconds pause = law_.pause(++failing.failures, std::uniform_real_distribution<double>(0, 1)(chance_));
  if (const auto field = reply.header("Retry-After")) {
    const std::optional<milliseconds> asked = hub::retry_after(*field, SystemClock().now());
    pause = std::max(pause, asked.value_or(pause));
  }
  failing.not_before = steady_clock::now() + pause;
  const std::string reason = reason_of(reply);
  if (reason != failing.reason) {
    options_.say(feed_url + " does not take entries at the moment (" + reason + "): trying again");
  }
  failing.reason = reason;
}

void SpoolSender::note_progress() {
  progress_ = steady_clock::now();
}

// Whether waiting until then would be longer than asked for.
bool SpoolSender::is_patience_over(Ticks until) const {
  return options_.patience && until - progress_ >= *options_.patience;
}

}  // namespace courant::server
