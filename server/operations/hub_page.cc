#include "server/operations/hub_page.h"

#include <nlohmann/json.hpp>

#include "kernel/text.h"

namespace courant::server {
namespace {

using nlohmann::ordered_json;

double seconds_behind(const hub::Laggard& laggard, Instant now) {
  return std::max(0.0, std::chrono::duration<double>(now - laggard.since).count());
}

std::string bound_text(double bound) {
  return std::to_string(static_cast<std::int64_t>(bound));
}

ordered_json json_of(const hub::Distribution& distribution) {
  const std::vector<std::int64_t> counts = distribution.cumulative();
  ordered_json rows = ordered_json::array();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const bool is_bound = i < distribution.bounds().size();
    rows.push_back({{"at_most", is_bound ? ordered_json(distribution.bounds()[i]) : ordered_json()},
                    {"subscriptions", counts[i]}});
  }
  return rows;
}

ordered_json json_of(const hub::Laggard& laggard, Instant now) {
  return {{"subscription", laggard.subscription},
          {"topic", laggard.topic},
          {"host", laggard.callback_host},
          {"state", laggard.state},
          {"positions_behind", laggard.positions},
          {"seconds_behind", seconds_behind(laggard, now)},
          {"oldest_undelivered", format_rfc3339(laggard.since)},
          {"failures", laggard.failures},
          {"next_attempt", laggard.next_attempt ? ordered_json(format_rfc3339(*laggard.next_attempt)) : ordered_json()},
          {"last_error", laggard.last_error}};
}

void add_row(std::string& html, const char* cell, const std::vector<std::string>& texts) {
  html += "<tr>";
  for (const std::string& text : texts) {
    html += std::string("<") + cell + ">" + xml_text(text) + "</" + cell + ">";
  }
  html += "</tr>\n";
}

void add_distribution(std::string& html, const std::string& what, const hub::Distribution& distribution) {
  const std::vector<std::int64_t> counts = distribution.cumulative();
  html += "<table>\n";
  add_row(html, "th", {what, "subscriptions"});
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const bool is_bound = i < distribution.bounds().size();
    const std::string bound = is_bound ? "at most " + bound_text(distribution.bounds()[i]) : std::string("all");
    add_row(html, "td", {bound, std::to_string(counts[i])});
  }
  html += "</table>\n";
}

}  // namespace

std::string hub_json(const hub::Overview& overview) {
  ordered_json worst = ordered_json::array();
  for (const hub::Laggard& laggard : overview.worst) worst.push_back(json_of(laggard, overview.taken));
  const ordered_json document = {
      {"taken", format_rfc3339(overview.taken)},
      {"subscriptions", overview.states},
      {"oldest_undelivered",
       overview.worst.empty() ? ordered_json() : ordered_json(format_rfc3339(overview.worst.front().since))},
      {"positions_behind", json_of(overview.positions)},
      {"seconds_behind", json_of(overview.seconds)},
      {"worst", worst}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string hub_html(const hub::Overview& overview) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>The hub</title><link rel=\"stylesheet\" "
      "href=\"/dashboard.css\"></head><body class=\"plain\">\n<h1>The hub</h1>\n<p>As of " +
      format_rfc3339(overview.taken) + ", the subscriptions of this process.</p>\n<table>\n";
  add_row(html, "th", {"state", "subscriptions"});
  for (const auto& [state, count] : overview.states) add_row(html, "td", {state, std::to_string(count)});
  html += "</table>\n<h2>The longest behind</h2>\n<table>\n";
  add_row(html, "th",
          {"subscription", "topic", "host", "state", "positions behind", "oldest undelivered", "seconds", "failures",
           "next attempt", "last error"});
  for (const hub::Laggard& laggard : overview.worst) {
    add_row(html, "td",
            {std::to_string(laggard.subscription), laggard.topic, laggard.callback_host, laggard.state,
             std::to_string(laggard.positions), format_rfc3339(laggard.since),
             bound_text(seconds_behind(laggard, overview.taken)), std::to_string(laggard.failures),
             laggard.next_attempt ? format_rfc3339(*laggard.next_attempt) : "", laggard.last_error});
  }
  html += "</table>\n<h2>How far behind</h2>\n";
  add_distribution(html, "positions", overview.positions);
  add_distribution(html, "seconds", overview.seconds);
  return html + "</body></html>\n";
}

}  // namespace courant::server
