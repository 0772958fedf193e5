#include "http/client.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <curl/curl.h>

#include "http/curl_carrier.h"
#include "http/errand.h"
#include "http/plain_carrier.h"
#include "kernel/log.h"
#include "kernel/priority.h"
#include "kernel/text.h"
#include "kernel/turns.h"

namespace courant::http {
namespace {

using Outcome = ClientReply::Outcome;

constexpr int kOutcomes = 9;
constexpr int kWaitingPerPlace = 4;

void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
}

}  // namespace

std::optional<std::string_view> ClientReply::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view outcome_name(Outcome outcome) {
  constexpr std::string_view kNames[kOutcomes] = {"answered", "forbidden", "held_back", "resolve", "connect",
                                                  "tls",      "timeout",   "broken",    "stopped"};
  return kNames[static_cast<int>(outcome)];
}

// A thread and the hosts that are its own: the worker's, or that of the loop which it is given.
class Client::Worker {
 public:
  Worker(const ClientOptions& options, Metrics& metrics, boost::asio::io_context* loop = nullptr);
  ~Worker() {
    begin_stop();
    join();
  }

  bool send(std::unique_ptr<Errand> errand);
  void begin_stop();
  void join();  // after begin_stop; on the worker's thread it does nothing
  bool is_this_thread() const { return !has_ended() && io_.get_executor().running_in_this_thread(); }

 private:
  // All below run on the worker's thread.
  void run();
  void take_arrivals();
  void begin_all();
  void ended(Errand& errand, ClientReply reply);
  void finish(Errand& errand, ClientReply reply);
  void tell();
  void end_all();
  void leave();

  bool has_ended() const { return ended_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

  const ClientOptions& options_;
  std::vector<Counter*> finished_;  // by outcome
  Gauge& under_way_;                // of all threads

  std::mutex mutex_;  // guards the next two; never held across I/O or `done`
  std::deque<std::unique_ptr<Errand>> arrivals_;
  bool is_stopping_ = false;
  std::atomic<int> waiting_{0};  // arrived and not begun: more with the lock held, fewer by the worker's thread

  std::optional<boost::asio::io_context> own_loop_;
  boost::asio::io_context& io_;  // until it has ended
  std::promise<void> end_;
  const std::shared_future<void> ended_{end_.get_future()};

  // The worker's thread alone:
  Turns<std::unique_ptr<Errand>> turns_;
  std::optional<CurlCarrier> curl_;  // nullopt: on the loop of others, which it might hold up
  std::optional<PlainCarrier> plain_;
  bool is_beginning_ = false;  // begin_all() is at work, or never again
  std::vector<std::pair<Done, ClientReply>> answered_;

  std::mutex joining_;  // one thread joins, others wait for it
  std::thread thread_;  // last: it uses all of the above
};

Client::Worker::Worker(const ClientOptions& options, Metrics& metrics, boost::asio::io_context* loop)
    : options_(options),
      under_way_(metrics.gauge("courant_client_in_flight", "Requests to other servers that are under way")),
      io_(loop != nullptr ? *loop : own_loop_.emplace(1)),
      turns_(options_.in_flight, options_.per_host) {
  const auto end = [this](Errand& errand, ClientReply reply) { ended(errand, std::move(reply)); };
  if (own_loop_) curl_.emplace(io_, options_, end);
  plain_.emplace(io_, options_, end);
  for (int outcome = 0; outcome < kOutcomes; ++outcome) {
    finished_.push_back(&metrics.counter("courant_client_requests_total", "Requests to other servers that ended",
                                         {{"outcome", std::string(outcome_name(static_cast<Outcome>(outcome)))}}));
  }
  if (own_loop_) thread_ = std::thread([this] { run(); });
}

bool Client::Worker::send(std::unique_ptr<Errand> errand) {
  bool is_first = false;  // of those that the thread has not taken: it is woken once for all
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || waiting_ >= kWaitingPerPlace * options_.in_flight) return false;
    ++waiting_;
    is_first = arrivals_.empty();
    arrivals_.push_back(std::move(errand));
  }
  if (is_first) boost::asio::post(io_, [this] { take_arrivals(); });
  return true;
}

void Client::Worker::begin_stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_stopping_, true)) return;
  }
  boost::asio::post(io_, [this] { end_all(); });
}

void Client::Worker::join() {
  if (is_this_thread()) return;
  ended_.wait();
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) thread_.join();
}

void Client::Worker::run() {
  if (options_.niceness > 0) give_way(options_.niceness);
  const auto work = boost::asio::make_work_guard(io_);
  io_.run();
}

void Client::Worker::take_arrivals() {
  std::deque<std::unique_ptr<Errand>> arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(arrivals_);
  }
  for (std::unique_ptr<Errand>& errand : arrived) {
    const std::string& host = errand->host;
    turns_.add(host, std::move(errand));
  }
  begin_all();
}

// Hosts take turns, one request each: a host with a thousand requests does not hold up one with a single request.
// What ends at once makes room for the next, which is begun here, too.
void Client::Worker::begin_all() {
  if (is_beginning_) return;
  is_beginning_ = true;
  while (std::optional<std::unique_ptr<Errand>> errand = turns_.take()) {
    --waiting_;
    under_way_.add(1);
    Carrier& carrier = (*errand)->is_plain ? static_cast<Carrier&>(*plain_) : *curl_;
    carrier.begin(*std::move(errand));
  }
  is_beginning_ = false;
}

void Client::Worker::ended(Errand& errand, ClientReply reply) {
  under_way_.add(-1);
  turns_.leave(errand.host);
  finish(errand, std::move(reply));
  begin_all();
}

void Client::Worker::finish(Errand& errand, ClientReply reply) {
  finished_[static_cast<std::size_t>(reply.outcome)]->add();
  answered_.emplace_back(std::move(errand.done), std::move(reply));
  if (answered_.size() == 1) boost::asio::post(io_, [this] { tell(); });
}

// Behind all that has come with it, so that a thread that waits for answers is woken once for many.
void Client::Worker::tell() {
  std::vector<std::pair<Done, ClientReply>> answered;
  answered.swap(answered_);
  for (auto& [done, reply] : answered) {
    try {
      done(std::move(reply));
    } catch (const std::exception& failure) {
      log_error("the receiver of an answer failed", {{"error", failure.what()}});
    }
  }
}

void Client::Worker::end_all() {
  is_beginning_ = true;
  take_arrivals();
  for (const std::unique_ptr<Errand>& errand : turns_.take_waiting()) {
    finish(*errand, errand->ended(Outcome::kStopped, "the client was stopped"));
  }
  if (curl_) curl_->end_all();
  plain_->end_all();
  tell();
  boost::asio::post(io_, [this] { leave(); });  // behind all that has been posted before
}

// A loop of others goes on, and may go before this does.
void Client::Worker::leave() {
  curl_.reset();
  plain_.reset();
  if (own_loop_) own_loop_->stop();
  std::promise<void> end = std::move(end_);
  end.set_value();  // after which nothing of this may be touched
}

Client::Client(ClientOptions options, Metrics& metrics) : options_(std::move(options)), metrics_(metrics) {
  if (!options_.guard) throw std::invalid_argument("a client needs a guard");
  if (options_.in_flight < 1 || options_.per_host < 1) throw std::invalid_argument("a client needs room for a request");
  if (options_.threads < 1) throw std::invalid_argument("a client needs a thread");
  initialise_curl();
  for (int i = 0; i < options_.threads; ++i) workers_.push_back(std::make_unique<Worker>(options_, metrics_));
}

Client::~Client() {
  stop();
}

void Client::carry_plain_on(boost::asio::io_context& loop) {
  on_loop_ = workers_.emplace_back(std::make_unique<Worker>(options_, metrics_, &loop)).get();
}

bool Client::send(ClientRequest request, Done done) {
  if (request.method != "GET" && request.method != "POST") {
    throw std::invalid_argument("a client sends GET and POST, not " + request.method);
  }
  auto errand = std::make_unique<Errand>(std::move(request), std::move(done));
  errand->is_plain = PlainCarrier::can_carry(options_, *errand);
  if (on_loop_ && errand->is_plain) return on_loop_->send(std::move(errand));
  Worker& worker = *workers_[std::hash<std::string>{}(errand->host) % static_cast<std::size_t>(options_.threads)];
  return worker.send(std::move(errand));
}

void Client::stop() {
  for (const auto& worker : workers_) worker->begin_stop();
  // One of them may be the caller; and two that join each other would wait for ever.
  if (std::ranges::any_of(workers_, [](const auto& worker) { return worker->is_this_thread(); })) return;
  for (const auto& worker : workers_) worker->join();
}

}  // namespace courant::http
