#include "feeds/settings.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace courant::feeds {
namespace {

using nlohmann::json;

json object_of(const DoorSettings& settings) {
  json assertions = json::array();
  for (const schema::Assertion& assertion : settings.assertions) {
    assertions.push_back({assertion.xpath, assertion.message});
  }
  return {{"schema", settings.schema},
          {"stylesheet", settings.stylesheet},
          {"assert", assertions},
          {"namespaces", settings.namespaces},
          {"reserved", settings.reserved}};
}

json object_of(const FeedSettings& settings) {
  json object = {{"title", settings.title},
                 {"author", settings.author},
                 {"server_ids", settings.server_ids},
                 {"duplicates_conflict", settings.duplicates_conflict},
                 {"client_updated", settings.client_updated},
                 {"edits", settings.edits},
                 {"lenient", settings.lenient},
                 {"redactable", settings.redactable},
                 {"retain_seconds", settings.retain.age.count()},
                 {"retain_entries", settings.retain.entries},
                 {"accept", settings.accept},
                 {"cors", json::array()}};  // nothing since it is a workspace's; what is stored stays the same text
  // Left out where there is none, so that what is stored of other feeds stays the same text.
  if (!settings.door.is_open()) object["door"] = object_of(settings.door);
  for (const FormSettings& form : settings.forms) {
    object["forms"].push_back({form.name, form.media_type, form.stylesheet});
  }
  return object;
}

template <class T>
void read(const json& object, const char* name, T& member) {
  if (const auto found = object.find(name); found != object.end()) found->get_to(member);
}

std::chrono::seconds read_duration(const json& object, const char* name) {
  constexpr std::int64_t kLongest = std::chrono::duration_cast<std::chrono::seconds>(kLongestDuration).count();
  return std::chrono::seconds(std::clamp<std::int64_t>(object.value(name, std::int64_t{0}), 0, kLongest));
}

DoorSettings door_settings_of(const json& object) {
  DoorSettings settings;
  read(object, "schema", settings.schema);
  read(object, "stylesheet", settings.stylesheet);
  read(object, "namespaces", settings.namespaces);
  read(object, "reserved", settings.reserved);
  for (const json& pair : object.value("assert", json::array())) {
    settings.assertions.push_back({pair.at(0).get<std::string>(), pair.at(1).get<std::string>()});
  }
  return settings;
}

std::vector<FormSettings> forms_of(const json& list) {
  std::vector<FormSettings> forms;
  for (const json& form : list) {
    forms.push_back({form.at(0).get<std::string>(), form.at(1).get<std::string>(), form.at(2).get<std::string>()});
  }
  return forms;
}

FeedSettings feed_settings_of(const json& object) {
  FeedSettings settings;
  read(object, "title", settings.title);
  read(object, "author", settings.author);
  read(object, "server_ids", settings.server_ids);
  read(object, "duplicates_conflict", settings.duplicates_conflict);
  read(object, "client_updated", settings.client_updated);
  read(object, "edits", settings.edits);
  read(object, "lenient", settings.lenient);
  read(object, "redactable", settings.redactable);
  settings.retain.age = read_duration(object, "retain_seconds");
  read(object, "retain_entries", settings.retain.entries);
  settings.retain.entries = std::clamp<std::int64_t>(settings.retain.entries, 0, kMostKept);
  read(object, "accept", settings.accept);
  if (const auto door = object.find("door"); door != object.end()) settings.door = door_settings_of(*door);
  if (const auto forms = object.find("forms"); forms != object.end()) settings.forms = forms_of(*forms);
  return settings;
}

template <class T, class Read>
Result<T> parse(std::string_view text, Read read_object) {
  try {
    return read_object(json::parse(text));
  } catch (const json::exception&) {
    return Fault{"the stored settings are not what this program writes"};
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> lasting_fields(const FeedSettings& settings,
                                                                std::optional<Instant> recorded) {
  const Retention& retain = settings.retain;
  const std::string immutable = settings.redactable ? "" : ", immutable";
  if (retain.age.count() > 0 && retain.entries == 0 && recorded) {
    // Not max-age, which counts anew from each answer.
    return {{"Cache-Control", "public" + immutable}, {"Expires", format_http_date(*recorded + retain.age)}};
  }
  // Where entries are dropped by count nobody can tell when.
  const bool is_dropped = retain.entries > 0 || retain.age.count() > 0;
  return {{"Cache-Control", std::string("public, max-age=") + (is_dropped ? "86400" : "31536000") + immutable}};
}

bool is_valid_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '-' || name.front() == '.') return false;
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-") ==
         std::string_view::npos;
}

std::string to_json(const DoorSettings& settings) {
  return object_of(settings).dump();
}

std::string to_json(const FeedSettings& settings) {
  return object_of(settings).dump();
}

std::string to_json(const WorkspaceSettings& settings) {
  json feeds = object_of(settings.feeds);
  feeds["cors"] = settings.cors;
  return json{{"title", settings.title},
              {"auto_create", settings.auto_create},
              {"max_feeds", settings.max_feeds},
              {"expire_idle_seconds", settings.expire_idle.count()},
              {"page_size", settings.page_size},
              {"feeds", std::move(feeds)},
              {"private", settings.is_private},
              {"max_bytes", settings.max_bytes},
              {"max_subscriptions", settings.max_subscriptions}}
      .dump();
}

Result<FeedSettings> feed_settings_from_json(std::string_view text) {
  return parse<FeedSettings>(text, feed_settings_of);
}

Result<WorkspaceSettings> workspace_settings_from_json(std::string_view text) {
  return parse<WorkspaceSettings>(text, [](const json& object) {
    WorkspaceSettings settings;
    read(object, "title", settings.title);
    read(object, "auto_create", settings.auto_create);
    read(object, "max_feeds", settings.max_feeds);
    settings.expire_idle = read_duration(object, "expire_idle_seconds");
    read(object, "page_size", settings.page_size);
    read(object, "private", settings.is_private);
    read(object, "max_bytes", settings.max_bytes);
    read(object, "max_subscriptions", settings.max_subscriptions);
    if (const auto feeds = object.find("feeds"); feeds != object.end()) {
      settings.feeds = feed_settings_of(*feeds);
      read(*feeds, "cors", settings.cors);
    }
    return settings;
  });
}

}  // namespace courant::feeds
