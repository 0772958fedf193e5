#include "http/client.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include <curl/curl.h>

#include "http/multi.h"
#include "http/transfer.h"
#include "kernel/log.h"
#include "kernel/priority.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

using Outcome = ClientReply::Outcome;

constexpr int kOutcomes = 9;
constexpr int kWaitingPerPlace = 4;
constexpr std::chrono::seconds kPatience{1};  // only a backstop: libcurl knows its timers, and send() wakes it

void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
}

// The requests of one host name.
struct Host {
  std::deque<std::unique_ptr<Transfer>> waiting;
  int in_flight = 0;
  bool has_turn = false;  // stands in the line of hosts
};

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

// A thread and the hosts that are its own.
class Client::Worker {
 public:
  Worker(ClientOptions options, Metrics& metrics);
  ~Worker() {
    begin_stop();
    join();
  }

  bool send(std::unique_ptr<Transfer> transfer);
  void begin_stop();
  void join();  // after begin_stop; on the worker's own thread it does nothing
  bool is_this_thread() const { return id_ == std::this_thread::get_id(); }

 private:
  // All below run on the worker's thread.
  void run();
  bool take_arrivals();
  void offer_turn(const std::string& name, Host& host);
  void start_all();
  void start(std::unique_ptr<Transfer> transfer);
  void reap();
  void leave(const std::string& name);
  void finish(Transfer& transfer, ClientReply reply);
  void end_all();

  const ClientOptions options_;
  std::vector<Counter*> finished_;  // by outcome
  Gauge& under_way_;                // of all threads
  Multi multi_;

  std::mutex mutex_;  // guards the next three; never held across I/O or `done`
  std::deque<std::unique_ptr<Transfer>> arrivals_;
  int waiting_ = 0;  // arrived and not started
  bool is_stopping_ = false;

  // The worker's thread alone:
  std::unordered_map<std::string, Host> hosts_;  // that have something waiting or in flight
  std::deque<std::string> line_;                 // hosts with something waiting and room, in their turn
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> in_flight_;

  std::mutex joining_;  // one thread joins, others wait for it
  std::thread::id id_;
  std::thread thread_;  // last: it uses all of the above
};

Client::Worker::Worker(ClientOptions options, Metrics& metrics)
    : options_(std::move(options)),
      under_way_(metrics.gauge("courant_client_in_flight", "Requests to other servers that are under way")) {
  for (int outcome = 0; outcome < kOutcomes; ++outcome) {
    finished_.push_back(&metrics.counter("courant_client_requests_total", "Requests to other servers that ended",
                                         {{"outcome", std::string(outcome_name(static_cast<Outcome>(outcome)))}}));
  }
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options_.in_flight));
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options_.per_host));
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options_.in_flight));
  thread_ = std::thread([this] { run(); });
  id_ = thread_.get_id();
}

bool Client::Worker::send(std::unique_ptr<Transfer> transfer) {
  bool is_first = false;  // of those that the thread has not taken: it is woken once for all
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || waiting_ >= kWaitingPerPlace * options_.in_flight) return false;
    ++waiting_;
    is_first = arrivals_.empty();
    arrivals_.push_back(std::move(transfer));
  }
  if (is_first) multi_.wake();
  return true;
}

void Client::Worker::begin_stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  multi_.wake();
}

void Client::Worker::join() {
  if (is_this_thread()) return;
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) thread_.join();
}

void Client::Worker::run() {
  if (options_.niceness > 0) give_way(options_.niceness);
  while (take_arrivals()) {
    start_all();
    const bool has_room = !line_.empty() && static_cast<int>(in_flight_.size()) < options_.in_flight;
    multi_.work(has_room ? std::chrono::seconds(0) : kPatience);
    reap();
  }
  end_all();
}

// False: the client is being stopped.
bool Client::Worker::take_arrivals() {
  std::deque<std::unique_ptr<Transfer>> arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(arrivals_);
    if (is_stopping_) {
      arrivals_.swap(arrived);
      return false;
    }
  }
  for (std::unique_ptr<Transfer>& transfer : arrived) {
    const std::string name = transfer->host();
    Host& host = hosts_[name];
    host.waiting.push_back(std::move(transfer));
    offer_turn(name, host);
  }
  return true;
}

void Client::Worker::offer_turn(const std::string& name, Host& host) {
  if (host.has_turn || host.waiting.empty() || host.in_flight >= options_.per_host) return;
  host.has_turn = true;
  line_.push_back(name);
}

// Hosts take turns, one request each: a host with a thousand requests does not hold up one with a single request.
void Client::Worker::start_all() {
  while (!line_.empty() && static_cast<int>(in_flight_.size()) < options_.in_flight) {
    const std::string name = std::move(line_.front());
    line_.pop_front();
    Host& host = hosts_.at(name);
    host.has_turn = false;
    std::unique_ptr<Transfer> transfer = std::move(host.waiting.front());
    host.waiting.pop_front();
    ++host.in_flight;
    offer_turn(name, host);
    {
      const std::lock_guard lock(mutex_);
      --waiting_;
    }
    start(std::move(transfer));
  }
}

void Client::Worker::start(std::unique_ptr<Transfer> transfer) {
  CURL* handle = nullptr;
  if (transfer->prepare(options_, multi_.take_handle())) {
    handle = transfer->handle();
    if (curl_multi_add_handle(multi_.get(), handle) == CURLM_OK) {
      in_flight_.emplace(handle, std::move(transfer));
      under_way_.add(1);
      return;
    }
  }
  leave(transfer->host());
  finish(*transfer, handle == nullptr ? transfer->refused() : transfer->reply(CURLE_OUT_OF_MEMORY));
}

// A request of this host is over.
void Client::Worker::leave(const std::string& name) {
  const auto place = hosts_.find(name);
  --place->second.in_flight;
  offer_turn(name, place->second);
  if (place->second.in_flight == 0 && place->second.waiting.empty()) hosts_.erase(place);
}

void Client::Worker::reap() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const handle = message->easy_handle;
    const CURLcode code = message->data.result;
    auto node = in_flight_.extract(handle);
    under_way_.add(-1);
    const std::unique_ptr<Transfer> transfer = std::move(node.mapped());
    ClientReply reply = transfer->reply(code);
    curl_multi_remove_handle(multi_.get(), handle);
    multi_.give_back(transfer->give_handle());
    leave(transfer->host());
    finish(*transfer, std::move(reply));
  }
}

void Client::Worker::finish(Transfer& transfer, ClientReply reply) {
  finished_[static_cast<std::size_t>(reply.outcome)]->add();
  try {
    transfer.finish(std::move(reply));
  } catch (const std::exception& failure) {
    log_error("the receiver of an answer failed", {{"error", failure.what()}});
  }
}

void Client::Worker::end_all() {
  for (auto& [handle, transfer] : in_flight_) {
    curl_multi_remove_handle(multi_.get(), handle);
    finish(*transfer, transfer->stopped());
  }
  under_way_.add(-static_cast<double>(in_flight_.size()));
  in_flight_.clear();
  for (auto& [name, host] : hosts_) {
    for (const std::unique_ptr<Transfer>& transfer : host.waiting) finish(*transfer, transfer->stopped());
  }
  hosts_.clear();
  std::deque<std::unique_ptr<Transfer>> arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(arrivals_);
  }
  for (const std::unique_ptr<Transfer>& transfer : arrived) finish(*transfer, transfer->stopped());
}

Client::Client(ClientOptions options, Metrics& metrics) {
  if (!options.guard) throw std::invalid_argument("a client needs a guard");
  if (options.in_flight < 1 || options.per_host < 1) throw std::invalid_argument("a client needs room for a request");
  if (options.threads < 1) throw std::invalid_argument("a client needs a thread");
  initialise_curl();
  for (int i = 0; i < options.threads; ++i) workers_.push_back(std::make_unique<Worker>(options, metrics));
}

Client::~Client() {
  stop();
}

bool Client::send(ClientRequest request, Done done) {
  if (request.method != "GET" && request.method != "POST") {
    throw std::invalid_argument("a client sends GET and POST, not " + request.method);
  }
  auto transfer = std::make_unique<Transfer>(std::move(request), std::move(done));
  Worker& worker = *workers_[std::hash<std::string>{}(transfer->host()) % workers_.size()];
  return worker.send(std::move(transfer));
}

void Client::stop() {
  for (const auto& worker : workers_) worker->begin_stop();
  // One of them may be the caller; and two that join each other would wait for ever.
  if (std::ranges::any_of(workers_, [](const auto& worker) { return worker->is_this_thread(); })) return;
  for (const auto& worker : workers_) worker->join();
}

}  // namespace courant::http
