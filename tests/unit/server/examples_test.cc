// What docs/examples/ has for Prometheus and Grafana names metrics that there are, and labels that they have.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernel/text.h"
#include "tests/support/contents.h"

namespace courant::server {
namespace {

const std::string kDocs = COURANT_SOURCE_DIR "/docs/";

std::string text_of(const std::string& name) {
  return test::contents_of(kDocs + name);
}

// The names in docs/METRICS.md, of histograms those of their series.
std::map<std::string, std::set<std::string>> documented() {
  std::map<std::string, std::set<std::string>> metrics;
  std::ifstream file(kDocs + "METRICS.md");
  for (std::string row; std::getline(file, row);) {
    if (!row.starts_with("| `")) continue;
    const std::vector<std::string_view> cells = split(row, '|');
    const std::string name(trim(cells[1]).substr(1, trim(cells[1]).size() - 2));
    std::set<std::string> labels = {"instance", "job"};  // those that Prometheus adds
    for (const std::string_view label : split(cells[3], ',')) labels.emplace(trim(label));
    if (trim(cells[2]) != "histogram") {
      metrics[name] = labels;
      continue;
    }
    metrics[name + "_sum"] = metrics[name + "_count"] = labels;
    labels.insert("le");
    metrics[name + "_bucket"] = labels;
  }
  return metrics;
}

void judge(const std::string& expression) {
  static const std::regex kMetric("\\b(?:courant|process)_[a-z0-9_]+");
  static const std::regex kUse("((?:courant|process)_[a-z0-9_]+)\\{([^}]*)\\}");
  static const std::regex kLabel("([a-z_]+)(?:=|!)");
  const auto metrics = documented();
  const std::sregex_iterator end;
  std::size_t found = 0;
  for (std::sregex_iterator at(expression.begin(), expression.end(), kMetric); at != end; ++at, ++found) {
    EXPECT_TRUE(metrics.contains(at->str())) << at->str() << " in " << expression << " is not in docs/METRICS.md";
  }
  for (std::sregex_iterator at(expression.begin(), expression.end(), kUse); at != end; ++at) {
    const std::string inside = at->str(2);
    for (std::sregex_iterator label(inside.begin(), inside.end(), kLabel); label != end; ++label) {
      const auto metric = metrics.find(at->str(1));
      if (metric == metrics.end()) continue;
      EXPECT_TRUE(metric->second.contains(label->str(1))) << label->str(1) << " is no label of " << at->str(1);
    }
  }
  EXPECT_TRUE(found > 0 || expression.starts_with("up{")) << expression << " names no metric";
  EXPECT_EQ(std::count(expression.begin(), expression.end(), '('),
            std::count(expression.begin(), expression.end(), ')'))
      << expression;
}

TEST(Examples, TheGrafanaDashboardShowsMetricsThatThereAre) {
  const nlohmann::json dashboard = nlohmann::json::parse(text_of("examples/grafana-dashboard.json"));
  std::set<int> ids;
  ASSERT_GT(dashboard.at("panels").size(), 10U);
  for (const nlohmann::json& panel : dashboard.at("panels")) {
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second);
    for (const nlohmann::json& target : panel.at("targets")) judge(target.at("expr"));
  }
}

TEST(Examples, TheAlertsAreAboutMetricsThatThereAre) {
  std::ifstream file(kDocs + "examples/alerts.yml");
  std::set<std::string> names;
  std::size_t rules = 0;
  for (std::string line; std::getline(file, line);) {
    EXPECT_EQ(line.find('\t'), std::string::npos) << "YAML is indented by spaces: " << line;
    const std::string_view text = trim(line);
    if (text.starts_with("- alert: ")) {
      EXPECT_TRUE(names.emplace(text.substr(9)).second) << line;
    }
    if (!text.starts_with("expr: ")) continue;
    ++rules;
    judge(std::string(text.substr(6)));
  }
  EXPECT_GT(names.size(), 10U);
  EXPECT_EQ(rules, names.size()) << "each alert has one expression, in a line";
}

}  // namespace
}  // namespace courant::server
