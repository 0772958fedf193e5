#include "server/commands/atom_hopper_source.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "server/queries.h"

namespace courant::server {
namespace {

// What Atom Hopper finds an entry by: its categories, and those that its prefix map keeps in columns of their own.
std::vector<std::string> terms_of(const sql::Row& row) {
  std::vector<std::string> terms;
  if (!row.is_null(7)) {
    const nlohmann::json categories = nlohmann::json::parse(row.text(7), nullptr, false);
    if (categories.is_discarded()) return {std::string(row.text(7))};  // not UTF-8: refused with the row
    for (const nlohmann::json& term : categories) {
      if (term.is_string() && !term.get_ref<const std::string&>().empty()) terms.push_back(term.get<std::string>());
    }
  }
  if (!row.text(8).empty()) terms.push_back("type:" + std::string(row.text(8)));
  if (!row.text(9).empty()) terms.push_back("tid:" + std::string(row.text(9)));
  return terms;
}

// Databases of two clusters may have the same name and number: this tells them apart.
std::string cluster_of(sql::Session& session) {
  try {
    return std::string(session.run(queries::atom_hopper_cluster)[0].text(0));
  } catch (const sql::Refused&) {
    return std::string(session.run(queries::atom_hopper_address)[0].text(0));
  }
}

sql::DatabaseOptions options_of(const std::string& url) {
  sql::DatabaseOptions options;
  options.url = url;
  options.statement_timeout = {};  // counting a hundred million rows takes its time
  return options;
}

}  // namespace

AtomHopperSource::AtomHopperSource(const std::string& url, std::string time_zone, std::int64_t max_entry_bytes)
    : time_zone_(std::move(time_zone)),
      max_entry_bytes_(max_entry_bytes),
      session_(sql::Database(options_of(url)).connect()) {
  session_->execute_script("set timezone = 'UTC'");  // whatever the url says: places are counted in it
  const sql::Rows own = session_->run(queries::atom_hopper_name);
  name_ = cluster_of(*session_) + "/" + std::string(own[0].text(0));
  // Such a database may hold anything: its bytes are judged here, row by row.
  if (own[0].text(1) == "SQL_ASCII") session_->execute_script("set client_encoding = 'SQL_ASCII'");
}

std::vector<SourceFeed> AtomHopperSource::feeds() {
  const sql::Rows rows = session_->run(queries::atom_hopper_feeds);
  std::vector<SourceFeed> feeds;
  for (int i = 0; i < rows.size(); ++i) {
    feeds.push_back({std::string(rows[i].text(0)), {rows[i].integer(1), rows[i].integer(2)}, rows[i].integer(3)});
  }
  return feeds;
}

std::vector<SourceRow> AtomHopperSource::rows_after(const SourcePlace& place, const std::vector<std::string>& feeds) {
  sql::Parameters parameters;
  parameters.add(feeds).add(place.updated).add(place.id).add(kMostRows).add(kMostBytes).add(time_zone_);
  parameters.add(std::min<std::int64_t>(max_entry_bytes_, INT32_MAX - 1) + 1);
  const sql::Rows found = session_->run(queries::atom_hopper_rows, parameters);
  std::vector<SourceRow> rows;
  for (int i = 0; i < found.size(); ++i) {
    const sql::Row from = found[i];
    SourceRow& row = rows.emplace_back();
    row.feed = from.text(2);
    row.place = {from.integer(3), from.integer(0)};
    row.published = from.instant(4);
    row.entry = {std::string(from.text(1)), std::string(from.text(6)), terms_of(from), from.instant(5)};
  }
  return rows;
}

SourceRows AtomHopperSource::rows_up_to(const SourcePlace& place, const std::string& feed) {
  const sql::Parameters parameters = sql::Parameters().add(feed).add(place.updated).add(place.id);
  const sql::Rows rows = session_->run(queries::atom_hopper_count, parameters);
  return {rows[0].integer(0), rows[0].integer(1)};
}

}  // namespace courant::server
