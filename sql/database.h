// PostgreSQL as the rest of Courant sees it: named queries with typed parameters, rows with typed columns, sessions
// from a bounded pool. The only user of libpqxx; its types and its errors stay in this module.
// Specification: PostgreSQL 15.
// Threads: a Database from any thread; a Session (but for cancel), its Rows and a Row in one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/digest.h"
#include "kernel/time.h"

namespace courant::sql {

class Watch;

// The database cannot be reached, or cannot work now: connection refused or lost, shutting down, disk full, too many
// connections, a lock or statement timeout. Trying again later may succeed. Becomes 503 at the edge.
class Unavailable : public std::runtime_error {
 public:
  Unavailable(const std::string& message, bool in_doubt) : std::runtime_error(message), in_doubt_(in_doubt) {}
  // Whether the statement may have been committed all the same (the connection died after it was sent).
  bool in_doubt() const { return in_doubt_; }

 private:
  bool in_doubt_;
};

// The statement itself was refused (SQLSTATE classes 22, 23, 42, 54 ...), or what it gives cannot be read (22000):
// repeating it will not help.
class Refused : public std::runtime_error {
 public:
  Refused(const std::string& message, std::string state) : std::runtime_error(message), state_(std::move(state)) {}
  const std::string& state() const { return state_; }  // SQLSTATE, "23505"
  // Whether it may be for the values that were given (classes 22, 23, 54): other values may be taken.
  bool is_of_values() const { return state_.starts_with("22") || state_.starts_with("23") || state_.starts_with("54"); }

 private:
  std::string state_;
};

// A statement from sql/queries/, known by its file's name; prepared once per connection.
struct Query {
  std::string_view name;
  std::string_view text;
};

// Parameters in the order $1, $2, ...
class Parameters {
 public:
  Parameters& add(std::int64_t value);
  Parameters& add(bool value);
  Parameters& add(std::string_view text);  // valid UTF-8 without NUL
  Parameters& add(const char* text) { return add(std::string_view(text)); }
  Parameters& add(const std::string& text) { return add(std::string_view(text)); }
  Parameters& add(Instant instant);
  Parameters& add_bytes(std::string_view bytes);
  Parameters& add_null();
  Parameters& add(const std::vector<std::int64_t>& array);                // bigint[]
  Parameters& add(const std::vector<bool>& array);                        // boolean[]
  Parameters& add(const std::vector<std::string>& array);                 // text[]
  Parameters& add(const std::vector<std::optional<std::string>>& array);  // text[] with nulls
  Parameters& add(const std::vector<std::optional<Instant>>& array);      // timestamptz[] with nulls
  // A text of all of them with kBetween between each two, or null where all are empty; for string_to_array(), since
  // PostgreSQL takes an array literal apart character by character. For XML, which cannot hold kBetween; else Refused.
  Parameters& add_joined(const std::vector<std::string_view>& texts);
  static constexpr char kBetween = '\x1f';

  struct Value {
    std::string data;  // in PostgreSQL's text form
    bool is_null = false;
  };
  const std::vector<Value>& values() const { return values_; }

 private:
  std::vector<Value> values_;
};

// A text[] as PostgreSQL writes it: for arrays of arrays that differ in length, which it does not know.
std::string array_text(const std::vector<std::string>& array);

// One row of a result; columns are counted from 0 in the order of the select list. Whatever is asked for as what it is
// not, or as what this program cannot hold (an instant after the year 9999, "infinity"), throws Refused.
class Row {
 public:
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  bool boolean(int column) const;
  std::string_view text(int column) const;  // valid as long as the Rows
  std::string bytes(int column) const;      // of a bytea
  std::string_view hex(int column) const;   // of a bytea, as lower-case hexadecimal digits, without a copy
  Instant instant(int column) const;        // of a timestamptz
  std::optional<Instant> find_instant(int column) const;  // nullopt: null, or none that this program can hold
  std::vector<std::int64_t> integers(int column) const;   // of a bigint[] without nulls
  std::vector<std::string> texts(int column) const;       // of a text[] without nulls

 private:
  friend class Rows;
  Row(const void* result, int row) : result_(result), row_(row) {}
  const void* result_;  // a pqxx::result, which the header does not name
  int row_;
};

class Rows {
 public:
  int size() const;
  bool empty() const { return size() == 0; }
  Row operator[](int index) const;

 private:
  friend class Session;
  explicit Rows(std::shared_ptr<const void> result) : result_(std::move(result)) {}
  std::shared_ptr<const void> result_;
};

// One connection in use. Outside a transaction each run is its own (autocommit).
class Session {
 public:
  // watch: gives it up where an answer is waited for too long, which is Unavailable then, in doubt; null: nobody does.
  explicit Session(const std::string& url, const std::shared_ptr<Watch>& watch = nullptr);  // throws Unavailable
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Throws Unavailable or Refused. After Unavailable the session may be broken, see is_usable.
  Rows run(const Query& query, const Parameters& parameters = {});

  // Several statements or none: commits when `work` returns, rolls back when it throws.
  void transaction(const std::function<void()>& work);

  // A script of several statements without parameters; for migrations.
  void execute_script(std::string_view text);

  // Loses the connection: what this session is running is Unavailable, and so is all that comes, whether PostgreSQL
  // answers or is frozen; it may go on with a statement until it looks at the connection (its setting
  // client_connection_check_interval). The one call that may come from another thread while another is at work.
  void cut();

  // For work that may take hours: from now on whoever watches the session lets it wait.
  void wait_without_end();

  // A session whose connection was lost stays so: whatever is asked of it then is Unavailable.
  bool is_usable() const;
  // Whether it can be used as far as can be told without a round trip, where nothing is running: a server that ended
  // the connection has said so or closed it, and either can be read.
  bool is_usable_at_rest() const;
  std::int64_t backend_pid() const;  // PostgreSQL's process, so that another session can end it

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct DatabaseOptions {
  std::string url;         // postgresql://... or key=value
  std::string listen_url;  // a direct connection for LISTEN, where url leads through a pooler; empty: url
  int pool = 8;            // most connections at once
  std::chrono::milliseconds statement_timeout{30'000};
  std::chrono::milliseconds lock_timeout{10'000};
  std::chrono::milliseconds tcp_user_timeout{10'000};  // a dead peer is noticed within this
  std::chrono::milliseconds checkout_timeout{5'000};   // longest wait for a free connection
  std::shared_ptr<Watch> watch;                        // over all connections; null: there is none
};

class Database {
 public:
  explicit Database(DatabaseOptions options);  // connects at first use
  ~Database();

  // Runs `work` with a session of the pool. Throws Unavailable where none is free within checkout_timeout or none can
  // be made; a session that broke in `work` is discarded. An idle connection that the server has ended is replaced
  // before `work` sees it; one whose end is not known yet (a dead machine) breaks in `work`, which is not repeated.
  void with_session(const std::function<void(Session&)>& work);

  // A connection of its own beside the pool, for LISTEN and for a writer that keeps it.
  std::unique_ptr<Session> connect() const;

  const DatabaseOptions& options() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::sql
