#include "server/settings/config_fields.h"

#include <algorithm>
#include <utility>

#include "feeds/further_forms.h"
#include "kernel/text.h"
#include "server/settings/suggestion.h"

namespace courant::server {

using std::chrono::milliseconds;

namespace {

// Of tables with these members, or lists of as many texts: the texts, in their order; nullopt: it is something else.
std::optional<std::vector<std::vector<std::string>>> rows_of(const toml::node& node,
                                                             const std::vector<const char*>& members) {
  const toml::array* const list = node.as_array();
  if (list == nullptr) return std::nullopt;
  std::vector<std::vector<std::string>> rows;
  for (const toml::node& item : *list) {
    const toml::table* const table = item.as_table();
    const toml::array* const texts = item.as_array();
    const std::size_t size = table != nullptr ? table->size() : texts != nullptr ? texts->size() : 0;
    if (size != members.size()) return std::nullopt;
    std::vector<std::string> row;
    for (std::size_t i = 0; i < size; ++i) {
      const toml::node* const one = table != nullptr ? table->get(members[i]) : texts->get(i);
      if (one == nullptr || !one->is_string()) return std::nullopt;
      row.push_back(*one->value<std::string>());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

void ConfigFields::fault(const toml::node& node, std::string detail) {
  faults_.push_back(
      {std::move(detail), static_cast<int>(node.source().begin.line), static_cast<int>(node.source().begin.column)});
}

std::optional<std::string> ConfigFields::text_of(const Rules& rules, const std::string& name, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (!text) {
    fault(node, name + " must be a text in quotes");
    return std::nullopt;
  }
  const std::vector<std::string_view>& words = rules.words;
  if (words.empty() || std::find(words.begin(), words.end(), *text) != words.end()) return *text;
  std::string list;
  for (const std::string_view word : words) list += (list.empty() ? "\"" : " or \"") + std::string(word) + "\"";
  fault(node, name + " must be " + list + suggestion(*text, words));
  return std::nullopt;
}

void ConfigFields::read(const Rules& rules, std::string& field, const std::string& name, const toml::node& node) {
  if (const std::optional<std::string> text = text_of(rules, name, node)) field = *text;
}

void ConfigFields::read(const Rules& rules, bool& field, const std::string& name, const toml::node& node) {
  if (rules.words.size() == 2) {
    if (const std::optional<std::string> word = text_of(rules, name, node)) field = *word == rules.words[1];
    return;
  }
  const auto flag = node.value_exact<bool>();
  if (!flag) return fault(node, name + " must be true or false");
  field = *flag;
}

void ConfigFields::read(const Rules& rules, std::int64_t& field, const std::string& name, const toml::node& node) {
  std::optional<std::int64_t> number = node.value_exact<std::int64_t>();
  if (const auto text = node.value_exact<std::string>(); text && rules.is_size) {
    if (const auto size = parse_size(*text)) number = static_cast<std::int64_t>(*size);
  }
  if (!number) {
    return fault(node, name + (rules.is_size ? " must be a size such as \"16MiB\" or a number of bytes"
                                             : " must be a whole number"));
  }
  if (*number < rules.least || *number > rules.most) {
    return fault(node,
                 name + " must lie between " + std::to_string(rules.least) + " and " + std::to_string(rules.most));
  }
  field = *number;
}

std::optional<milliseconds> ConfigFields::duration_of(const Rules& rules, const std::string& name,
                                                      const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  const std::optional<milliseconds> duration = text ? parse_duration(*text) : std::nullopt;
  if (!duration) {
    fault(node, name + " must be a duration such as \"250ms\", \"10s\", \"5m\", \"2h\" or \"10d\", of at most " +
                    format_duration(kLongestDuration));
    return std::nullopt;
  }
  if (duration->count() < rules.least || duration->count() > rules.most) {
    fault(node, name + " must lie between " + format_duration(milliseconds(rules.least)) + " and " +
                    format_duration(milliseconds(rules.most)));
    return std::nullopt;
  }
  if (rules.is_in_seconds && *duration % std::chrono::seconds(1) != milliseconds(0)) {
    fault(node, name + " must be of whole seconds");
    return std::nullopt;
  }
  return duration;
}

void ConfigFields::read(const Rules& rules, milliseconds& field, const std::string& name, const toml::node& node) {
  if (const std::optional<milliseconds> duration = duration_of(rules, name, node)) field = *duration;
}

void ConfigFields::read(const Rules&, feeds::Retention& field, const std::string& name, const toml::node& node) {
  const std::string text = node.value_exact<std::string>().value_or("");
  const std::vector<std::string_view> words = split(text, ' ');
  feeds::Retention retain;
  if (words.size() == 2 && words[1] == "entries") {
    const std::uint64_t count = parse_unsigned(words[0]).value_or(0);
    if (std::cmp_less_equal(count, feeds::kMostKept)) retain.entries = static_cast<std::int64_t>(count);
  } else if (const auto age = parse_duration(text)) {
    retain.age = std::chrono::duration_cast<std::chrono::seconds>(*age);
  }
  if (text != "forever" && retain == feeds::Retention{}) {
    return fault(node, name + " must be \"forever\", a duration such as \"30d\" (at most " +
                           format_duration(kLongestDuration) + "), or a count such as \"100000 entries\" (at most " +
                           std::to_string(feeds::kMostKept) + ")");
  }
  field = retain;
}

void ConfigFields::read(const Rules&, std::vector<std::string>& field, const std::string& name,
                        const toml::node& node) {
  if (const auto one = node.value_exact<std::string>()) {
    field = {*one};
    return;
  }
  const toml::array* const list = node.as_array();
  std::vector<std::string> texts;
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    if (const auto text = (*list)[i].value_exact<std::string>()) texts.push_back(*text);
  }
  if (list == nullptr || texts.size() != list->size()) return fault(node, name + " must be a list of texts");
  field = std::move(texts);
}

void ConfigFields::read(const Rules&, std::vector<schema::Assertion>& field, const std::string& name,
                        const toml::node& node) {
  const auto rows = rows_of(node, {"xpath", "message"});
  if (!rows) return fault(node, name + " is written as [[" + name + "]] with xpath and message, both texts");
  field.clear();
  for (const auto& row : *rows) field.push_back({row[0], row[1]});
}

void ConfigFields::read(const Rules&, std::vector<feeds::FormSettings>& field, const std::string& name,
                        const toml::node& node) {
  const auto rows = rows_of(node, {"name", "media_type", "stylesheet"});
  if (!rows) return fault(node, name + " is written as [[" + name + "]] with name, media_type and stylesheet");
  std::vector<feeds::FormSettings> forms;
  for (const auto& row : *rows) forms.push_back({row[0], row[1], row[2]});
  if (const std::optional<std::string> wrong = feeds::fault_of_forms(forms)) return fault(node, name + ": " + *wrong);
  field = std::move(forms);
}

void ConfigFields::read(const Rules& rules, std::vector<milliseconds>& field, const std::string& name,
                        const toml::node& node) {
  const toml::array* const list = node.as_array();
  if (list == nullptr) return fault(node, name + " must be a list of durations");
  std::vector<milliseconds> durations;
  for (const toml::node& item : *list) {
    if (const auto duration = duration_of(rules, name, item)) durations.push_back(*duration);
  }
  field = std::move(durations);
}

}  // namespace courant::server
