#include "server/commands/on_database.h"

#include "server/open_database.h"

namespace courant::server {

int on_database(const ServeOptions& options, const std::function<int(sql::Database&, sql::Session&)>& work,
                const std::string& advice) {
  const Result<OpenDatabase> opened = open_database(options, Opening::kJoin);
  if (!opened) return say(opened.fault());
  try {
    return work(*opened->database, *opened->database->connect());
  } catch (const std::exception& error) {
    return say(Fault{std::string("the database refused: ") + error.what() + (advice.empty() ? "" : "; " + advice)});
  }
}

}  // namespace courant::server
