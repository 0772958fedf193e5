// The carrier for http: URLs, by connections of our own that are kept: to a callback that takes a delivery a second
// goes one write and comes one read. Everything that the client promises (http/client.h) holds here as with libcurl.
//   A request that a kept connection did not carry, since its peer had ended it before any byte of an answer came, is
// sent once more over a new one. RFC 9112 section 9.3.1 has that for requests that may be repeated; RFC 9110 section
// 9.2.2 names POST among those that may where the client knows more: what we POST is deliveries, which come at least
// once and are known by their webhook-id, and entries under an idempotency key.
// Specification: RFC 9110, 9112.
// Threads: the worker's thread alone.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/carrier.h"
#include "http/dialing.h"
#include "http/idle_connections.h"
#include "http/lookup.h"

namespace courant::http {

class PlainCarrier final : public Carrier {
 public:
  // options: outlive this.
  PlainCarrier(boost::asio::io_context& io, const ClientOptions& options, Ended ended);
  ~PlainCarrier() override;

  // Whether it may be given this one: what is behind TLS or a proxy, asks for a password or has to be written in
  // another way than it is given, it cannot carry.
  static bool can_carry(const ClientOptions& options, const Errand& errand);

  void begin(std::unique_ptr<Errand> errand) override;
  void end_all() override;

 private:
  struct Trip;
  using TripPtr = std::shared_ptr<Trip>;

  void connect(const TripPtr& trip);
  void dial(const TripPtr& trip, std::vector<Dialing::Endpoint> addresses);
  bool may_connect(Trip& trip, const Dialing::Endpoint& address) const;
  void dialled(const TripPtr& trip, Dialing::Result result);
  void send(const TripPtr& trip);
  void carried(const TripPtr& trip, PlainConnection::Carried carried);
  void keep(Trip& trip);
  void end(const TripPtr& trip, ClientReply::Outcome outcome, std::string detail, ClientReply reply = {});
  void make_room();
  void plan();
  void sweep();

  boost::asio::io_context& io_;
  const ClientOptions& options_;
  const Ended ended_;
  Lookup lookup_;
  IdleConnections idle_;
  std::map<std::pair<Ticks, Trip*>, TripPtr> trips_;  // under way, by their deadlines
  boost::asio::steady_timer timer_;                   // for the first of them, and for what is idle
  bool is_planned_ = false;
};

}  // namespace courant::http
