// Deliveries: brings a subscription its next document, and does what its answer asks for.
// Threads: the hub's loop.
#pragma once

#include <functional>
#include <optional>
#include <random>

#include "hub/attempts.h"
#include "hub/documents.h"
#include "hub/lookout.h"
#include "hub/loop.h"
#include "hub/parking.h"
#include "hub/rests.h"
#include "hub/write_back.h"

namespace courant::hub {

class Deliveries {
 public:
  // The parts of the dispatcher that this works on. ended: the subscription is no more, in the database, too.
  struct Parts {
    Loop& loop;
    Lookout& lookout;
    WriteBack& write_back;
    Phases& phases;
    Rests& rests;
    Parking& parking;
    const RetryLaw& retry;
  };
  Deliveries(const Parts& parts, std::function<void(const LivePtr&)> ended);

  // Whether anything may be begun for it, and whether there is anything to bring.
  bool may_begin(const Live& live) const;
  bool is_behind(const Live& live) const;

  // One document, where there is one; over what holds nothing for it the cursor moves. Its phase is kDelivering
  // meanwhile; afterwards that, or why it waits.
  http::Task<void> bring(LivePtr live);

  // Where it stands from now on; whatever had been sent beyond is not held against it.
  void move_cursor(const LivePtr& live, std::int64_t position);

 private:
  using Document = std::shared_ptr<const PushDocument>;

  std::int64_t end_of_next(const Live& live) const;
  PushLimits limits_of(const Live& live) const;
  http::Task<bool> find_secret(LivePtr live);
  http::Task<Document> read(LivePtr live);
  http::Task<void> send(LivePtr live, Document document);
  http::Task<void> end(LivePtr live);
  void delivered(const LivePtr& live, const PushDocument& document);
  void failed(const LivePtr& live, const http::ClientReply& reply);
  void could_not_connect(const LivePtr& live, const http::ClientReply& reply);
  double chance();

  Loop& loop_;
  Lookout& lookout_;
  WriteBack& write_back_;
  Phases& phases_;
  Rests& rests_;
  Parking& parking_;
  const RetryLaw& retry_;
  const std::function<void(const LivePtr&)> ended_;
  Documents documents_;
  std::minstd_rand random_;

  DeliveryAttempts attempts_;
  Counter& documents_delivered_;
  Counter& entries_;
  Counter& retries_;
};

}  // namespace courant::hub
