#include "sql/errors.h"

#include <string_view>

#include <pqxx/pqxx>

#include "sql/database.h"

namespace courant::sql {
namespace {

// SQLSTATE classes and codes after which trying again later may succeed (PostgreSQL 15, appendix A).
bool is_passing(std::string_view state) {
  if (state == "55P03" || state == "57014" || state == "25006") return true;  // lock and statement timeout, standby
  const std::string_view group = state.substr(0, 2);
  return group == "08" || group == "40" || group == "53" || group == "58" || group == "57" || group == "XX";
}

// 57P01, 57P02, 57P03: the backend was ended or the server is going down; the connection is gone as well.
bool ends_connection(std::string_view state) {
  return state.substr(0, 3) == "57P" || state.substr(0, 2) == "08";
}

}  // namespace

void rethrow_translated(bool sent) {
  try {
    throw;
  } catch (const pqxx::in_doubt_error& error) {
    throw Unavailable(error.what(), true);
  } catch (const pqxx::broken_connection& error) {
    throw Unavailable(error.what(), sent);
  } catch (const pqxx::insufficient_privilege& error) {
    throw Refused(error.what(), "42501");  // the one error whose state libpqxx leaves out
  } catch (const pqxx::sql_error& error) {
    // Where the connection ends together with the error, libpqxx has no state.
    if (error.sqlstate().empty()) throw Unavailable(error.what(), sent);
    if (ends_connection(error.sqlstate())) throw Unavailable(error.what(), sent);
    if (is_passing(error.sqlstate())) throw Unavailable(error.what(), false);
    throw Refused(error.what(), error.sqlstate());
  } catch (const pqxx::usage_error&) {
    // libpqxx calls it a wrong use when a connection turns out to be closed.
    throw Unavailable("the connection is closed", sent);
  }
}

}  // namespace courant::sql
