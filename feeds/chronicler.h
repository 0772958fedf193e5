// What the server has to say of itself, in feeds of its own (feeds/own_feeds.h). A notice is stored in the transaction
// of what it tells of, and published from there, in order and once, by one of all processes over a database. Entries
// are CloudEvents (feeds/cloud_events.h). Threads: put_notice on a database thread; a Chronicler is made, started and
// stopped by server/app.cc, from one thread, and has a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "feeds/engine.h"
#include "feeds/own_feeds.h"

namespace courant::feeds {

struct Notice {
  std::string_view feed;  // one of the above
  std::string type;       // "courant.audit.redacted"
  std::string subject;    // what it is about: "demo/events"
  std::string data;       // a JSON object
};
void put_notice(sql::Session& session, const Notice& notice, Instant now);

// Notes that somebody has done something to a subject: act "token-created", subject "token ci". In a transaction with
// the act itself. details say how, and hold no secret: the feed keeps them for ever.
void note_act(sql::Session& session, std::string_view actor, std::string_view act, std::string_view subject,
              nlohmann::json details, Instant now);

class Chronicler {
 public:
  // Called every second or so, and at the end, in each process, on its thread: what it has to say it notes there, and
  // what has to be kept up in the database beside. What it throws is logged, and it is called again.
  using Report = std::function<void(sql::Session& session, bool is_last)>;

  // All must outlive it.
  Chronicler(const sql::Database& database, Engine& engine, Report report);
  ~Chronicler();  // stops
  Chronicler(const Chronicler&) = delete;
  Chronicler& operator=(const Chronicler&) = delete;

  void start();
  // Before the engine stops, which this must outlive. What is not published yet is published by another process, or
  // after the next start.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::feeds
