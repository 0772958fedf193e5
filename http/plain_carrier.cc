#include "http/plain_carrier.h"

#include <algorithm>
#include <cstring>

#include "http/field_characters.h"
#include "http/redirect.h"
#include "http/url_host.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;
using Outcome = ClientReply::Outcome;

constexpr int kHttpPort = 80;

bool is_plain_text(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7F; });
}

// The request's own fields and those that every request has; nullopt: one of them is malformed.
std::optional<std::string> compose_head(const Errand& errand, const std::string& user_agent) {
  const Uri& url = *errand.url;
  const ClientRequest& request = errand.request;
  std::string head;
  head.reserve(1024);
  head.append(request.method).append(" ").append(url.path.empty() ? "/" : url.path);
  if (url.query) head.append("?").append(*url.query);
  head.append(" HTTP/1.1\r\nHost: ").append(url.host);
  if (const int port = url.effective_port(); port != kHttpPort) head.append(":").append(std::to_string(port));
  head.append("\r\nUser-Agent: ").append(user_agent).append("\r\nAccept: */*\r\n");
  for (const auto& [name, value] : request.headers) {
    if (!is_sound_field(name, value)) return std::nullopt;
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (request.method == "POST") {
    head.append("Content-Length: ").append(std::to_string(request.body ? request.body->size() : 0)).append("\r\n");
  }
  return head.append("\r\n");
}

tcp::endpoint endpoint_of(const Address& address) {
  if (!address.is_v4) return {asio::ip::address_v6(address.bytes), 0};
  asio::ip::address_v4::bytes_type bytes;
  std::copy_n(address.bytes.begin(), bytes.size(), bytes.begin());
  return {asio::ip::address_v4(bytes), 0};
}

}  // namespace

// A request under way. What is set tells how far it has come.
struct PlainCarrier::Trip {
  std::unique_ptr<Errand> errand;
  std::string origin;
  std::string head;
  Ticks deadline;
  std::shared_ptr<Dialing> dialing;
  PlainConnectionPtr connection;
  bool is_on_kept = false;        // the connection had carried others before
  std::string forbidden_because;  // an address
  bool is_held_back = false;      // by the request's own `admits`
  bool was_connected = false;
  bool is_over = false;
};

PlainCarrier::PlainCarrier(asio::io_context& io, const ClientOptions& options, Ended ended)
    : io_(io),
      options_(options),
      ended_(std::move(ended)),
      lookup_(io),
      idle_(static_cast<std::size_t>(options.per_host)),
      timer_(io) {}

PlainCarrier::~PlainCarrier() = default;

bool PlainCarrier::can_carry(const ClientOptions& options, const Errand& errand) {
  const std::optional<Uri>& url = errand.url;
  return !options.all_by_libcurl && url && url->scheme == "http" && options.egress_proxy.empty() &&
         url->user_info.empty() && is_plain_text(url->path) && is_plain_text(url->query.value_or(""));
}

void PlainCarrier::begin(std::unique_ptr<Errand> errand) {
  const auto trip = std::make_shared<Trip>();
  trip->errand = std::move(errand);
  trip->errand->begun = steady_clock::now();
  trip->deadline = trip->errand->begun + std::max(trip->errand->request.deadline, std::chrono::milliseconds(1));
  trips_.emplace(std::pair(trip->deadline, trip.get()), trip);
  plan();
  std::optional<std::string> head = compose_head(*trip->errand, options_.user_agent);
  if (!head) return end(trip, Outcome::kBroken, "a header field of the request is malformed");
  trip->head = *std::move(head);
  const Uri& url = *trip->errand->url;
  trip->origin = url.host + ":" + std::to_string(url.effective_port());
  if (!trip->errand->request.admits) trip->connection = idle_.take(trip->origin);
  trip->is_on_kept = trip->connection != nullptr;
  if (trip->connection) {
    send(trip);
  } else {
    connect(trip);
  }
}

void PlainCarrier::connect(const TripPtr& trip) {
  const Uri& url = *trip->errand->url;
  if (auto why = options_.guard->refusal_of_literal(url)) return end(trip, Outcome::kForbidden, *std::move(why));
  const Result<UrlHost> host = read_host(url.host);
  if (host->address) return dial(trip, {endpoint_of(*host->address)});
  const bool is_asked = lookup_.find(host->name, [this, weak = std::weak_ptr(trip)](const Lookup::Found& found) {
    const TripPtr asking = weak.lock();
    if (!asking || asking->is_over) return;
    if (found.addresses.empty()) return end(asking, Outcome::kResolve, found.failure);
    dial(asking, found.addresses);
  });
  if (!is_asked) end(trip, Outcome::kHeldBack, "too many names are being looked up");
}

void PlainCarrier::dial(const TripPtr& trip, std::vector<Dialing::Endpoint> addresses) {
  make_room();
  const int port = trip->errand->url->effective_port();
  for (Dialing::Endpoint& address : addresses) address.port(static_cast<std::uint16_t>(port));
  // The dialing is stopped when the trip ends, so that it never calls for one that is gone.
  trip->dialing = std::make_shared<Dialing>(
      io_, std::move(addresses), [this, raw = trip.get()](const auto& address) { return may_connect(*raw, address); },
      [this, weak = std::weak_ptr(trip)](Dialing::Result result) {
        if (const TripPtr dialling = weak.lock()) dialled(dialling, std::move(result));
      });
  const std::shared_ptr<Dialing> dialing = trip->dialing;
  dialing->start();
}

// The socket is connected to exactly the address that is judged here.
bool PlainCarrier::may_connect(Trip& trip, const Dialing::Endpoint& address) const {
  const std::optional<Address> target = Address::of(*address.data());
  std::optional<std::string> why = "the address is of an unknown family";
  if (target) why = options_.guard->refusal(*target, address.port());
  if (why) {
    trip.forbidden_because = *std::move(why);
    return false;
  }
  const ClientRequest& request = trip.errand->request;
  if (!request.admits || request.admits(*target)) return true;
  trip.is_held_back = true;
  return false;
}

void PlainCarrier::dialled(const TripPtr& trip, Dialing::Result result) {
  trip->dialing.reset();
  if (result.socket) {
    trip->connection = std::make_shared<PlainConnection>(*std::move(result.socket), steady_clock::now());
    trip->connection->start();
    send(trip);
  } else if (result.opened == 0 && trip->is_held_back) {
    end(trip, Outcome::kHeldBack, "too many connections to that network");
  } else if (result.opened == 0 && !trip->forbidden_because.empty()) {
    end(trip, Outcome::kForbidden, trip->forbidden_because);
  } else {
    lookup_.forget(trip->errand->host);
    end(trip, Outcome::kConnect, "no connection to " + trip->origin + ": " + result.failure);
  }
}

void PlainCarrier::send(const TripPtr& trip) {
  const ClientRequest& request = trip->errand->request;
  trip->was_connected = true;
  const Bytes body = request.method == "POST" ? request.body : nullptr;
  trip->connection->send(std::move(trip->head), body, request.max_body,
                         [this, weak = std::weak_ptr(trip)](PlainConnection::Carried result) {
                           if (const TripPtr sent = weak.lock()) carried(sent, std::move(result));
                         });
}

void PlainCarrier::carried(const TripPtr& trip, PlainConnection::Carried carried) {
  if (!carried.was_heard && trip->is_on_kept) {
    trip->connection.reset();
    trip->is_on_kept = false;
    trip->head = *compose_head(*trip->errand, options_.user_agent);  // the other one has gone
    connect(trip);
    return;
  }
  if (!carried.failure.empty()) return end(trip, Outcome::kBroken, std::move(carried.failure));
  keep(*trip);
  if (carried.reply.status / 100 == 3) {
    const std::optional<std::string_view> location = carried.reply.header("Location");
    if (location) carried.reply.redirect_url = redirect_target(trip->errand->request.url, std::string(*location));
  }
  end(trip, Outcome::kAnswered, {}, std::move(carried.reply));
}

void PlainCarrier::keep(Trip& trip) {
  const PlainConnectionPtr connection = std::exchange(trip.connection, nullptr);
  const Ticks now = steady_clock::now();
  if (!connection->is_open()) return;
  if (trip.errand->request.admits || now - connection->opened() > kMaxConnectionAge) {
    connection->close();
  } else {
    idle_.keep(trip.origin, connection, now);
  }
}

void PlainCarrier::end(const TripPtr& trip, Outcome outcome, std::string detail, ClientReply reply) {
  const TripPtr kept = trip;
  trips_.erase({trip->deadline, trip.get()});
  trip->is_over = true;
  if (trip->dialing) trip->dialing->stop();
  if (trip->connection) trip->connection->close();
  reply.was_connected = trip->was_connected;
  ended_(*trip->errand, trip->errand->ended(outcome, std::move(detail), std::move(reply)));
}

// Open connections are never more than requests may be under way.
void PlainCarrier::make_room() {
  while (idle_.size() > 0 && idle_.size() + trips_.size() > static_cast<std::size_t>(options_.in_flight)) {
    idle_.close_oldest();
  }
}

// The timer never fires later than the first deadline; where it fires earlier, it is set again.
void PlainCarrier::plan() {
  const Ticks deadline = trips_.empty() ? Ticks::max() : trips_.begin()->first.first;
  if (is_planned_ && timer_.expiry() <= deadline) return;
  if (trips_.empty() && idle_.size() == 0) return;
  is_planned_ = true;
  timer_.expires_at(std::min(deadline, steady_clock::now() + kMaxConnectionIdle));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    is_planned_ = false;
    sweep();
    plan();
  });
}

void PlainCarrier::sweep() {
  const Ticks now = steady_clock::now();
  idle_.close_older_than(now - kMaxConnectionIdle);
  while (!trips_.empty() && trips_.begin()->first.first <= now) {
    const TripPtr late = trips_.begin()->second;
    end(late, Outcome::kTimeout, "no whole answer within " + format_duration(late->errand->request.deadline));
  }
}

void PlainCarrier::end_all() {
  timer_.cancel();
  is_planned_ = true;  // never again
  while (!trips_.empty()) {
    const TripPtr stopped = trips_.begin()->second;
    end(stopped, Outcome::kStopped, "the client was stopped");
  }
  idle_.close_all();
}

}  // namespace courant::http
