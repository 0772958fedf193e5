// What bodies and answers of the management API are made of. Those of settings come from the table of settings.
#include "server/management/manage_route.h"
#include "server/settings/config_table.h"

namespace courant::server {
namespace {

Json text() {
  return {{"type", "string"}};
}
Json whole() {
  return {{"type", "integer"}};
}
Json time() {
  return {{"type", "string"}, {"format", "date-time"}};
}
Json flag() {
  return {{"type", "boolean"}};
}
Json or_null(Json schema) {
  schema["type"] = {schema["type"], "null"};
  return schema;
}
Json list_of(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}
Json reference(const std::string& name) {
  return {{"$ref", "#/components/schemas/" + name}};
}

// All members are there, unless `required` says which.
Json object(const Json& members, std::optional<std::vector<std::string>> required = std::nullopt) {
  Json names = Json::array();
  for (const auto& [name, schema] : members.items()) {
    if (!required) names.push_back(name);
  }
  if (required) names = *required;
  return {{"type", "object"}, {"properties", members}, {"required", names}, {"additionalProperties", false}};
}

template <class Target>
Json schema_of(const Setting<Target>& setting) {
  struct OfType {
    const Setting<Target>& setting;
    Json operator()(bool& (*)(Target&)) const {
      if (setting.rules.words.empty()) return {{"type", "boolean"}};
      return {{"type", "string"}, {"enum", setting.rules.words}};
    }
    Json operator()(std::int64_t& (*)(Target&)) const {
      return {{"type", "integer"}, {"minimum", setting.rules.least}, {"maximum", setting.rules.most}};
    }
    Json operator()(std::vector<std::string>& (*)(Target&)) const { return list_of(text()); }
    Json operator()(std::vector<std::chrono::milliseconds>& (*)(Target&)) const { return list_of(text()); }
    Json operator()(std::vector<schema::Assertion>& (*)(Target&)) const { return list_of(list_of(text())); }
    Json operator()(std::vector<feeds::FormSettings>& (*)(Target&)) const { return list_of(list_of(text())); }
    Json operator()(...) const { return text(); }  // durations and retention, in words
  };
  Json schema = std::visit(OfType{setting}, setting.field);
  schema["description"] = setting.help;
  return schema;
}

template <class Target>
void add_schemas(Json& members, const std::vector<Setting<Target>>& settings) {
  for (const Setting<Target>& setting : settings) {
    if (setting.name != "name") members[std::string(setting.name)] = schema_of(setting);
  }
}

Json workspace_settings_schema() {
  Json members;
  add_schemas(members, workspace_settings());
  add_schemas(members, feed_settings());
  return object(members, std::vector<std::string>());
}

Json feed_settings_schema() {
  Json members = {{"title", {{"type", "string"}, {"description", "for people; empty: the name"}}}};
  add_schemas(members, feed_settings());
  return object(members, std::vector<std::string>());
}

Json subscription_schema() {
  return object({{"number", whole()},
                 {"state", {{"type", "string"}, {"enum", {"delivering", "paused", "failing"}}}},
                 {"feed", or_null(text())},
                 {"topic", text()},
                 {"callback", text()},
                 {"subscribed_by", text()},
                 {"verified", time()},
                 {"lease_until", time()},
                 {"position", whole()},
                 {"head", whole()},
                 {"failures", whole()},
                 {"next_attempt", or_null(time())}});
}

Json subscription_example() {
  return {{"number", 7},
          {"state", "delivering"},
          {"feed", "demo/events"},
          {"topic", "https://feeds.example/demo/events"},
          {"callback", "https://subscriber.example/hook?..."},
          {"subscribed_by", "anonymous"},
          {"verified", "2026-11-24T09:30:00.000000Z"},
          {"lease_until", "2026-12-04T09:30:00.000000Z"},
          {"position", 41},
          {"head", 42},
          {"failures", 0},
          {"next_attempt", nullptr}};
}

Json token_members() {
  return {{"name", text()}, {"scopes", text()}, {"on", text()}, {"filter", text()}, {"expires", or_null(time())}};
}

Json token_schema() {
  Json members = token_members();
  members["number"] = whole();
  members["created"] = time();
  members["revoked"] = or_null(time());
  return object(members);
}

// Of what may have a filter.
Json noted(const Json& members) {
  Json schema = object(members);
  schema["properties"]["note"] = {{"type", "string"}, {"description", "what its filter does not keep apart"}};
  return schema;
}

Json created_token_schema() {
  Json members = token_members();
  members["token"] = text();
  return noted(members);
}

Json feed_example() {
  return {{"workspace", "demo"}, {"feed", "events"}, {"url", "https://feeds.example/demo/events"},
          {"head", 42},          {"floor", 0},       {"settings", {{"title", "Events"}, {"retain", "30d"}}}};
}

}  // namespace

const std::vector<std::pair<std::string, ManageSchema>>& manage_schemas() {
  static const Json kToken = {{"name", "ci"},       {"number", 3},       {"scopes", "publish,edit"},
                              {"on", "demo/*"},     {"filter", ""},      {"created", "2026-11-24T09:30:00.000000Z"},
                              {"expires", nullptr}, {"revoked", nullptr}};
  static const std::vector<std::pair<std::string, ManageSchema>> kSchemas = {
      {"WorkspaceSettings",
       {workspace_settings_schema(), {{"title", "Demo"}, {"auto_create", true}, {"retain", "30d"}}}},
      {"FeedSettings", {feed_settings_schema(), {{"title", "Events"}, {"retain", "100000 entries"}}}},
      {"Workspaces",
       {object(
            {{"workspaces", list_of(object({{"workspace", text()}, {"title", text()}, {"feeds", list_of(text())}}))}}),
        {{"workspaces", {{{"workspace", "demo"}, {"title", "Demo"}, {"feeds", {"events"}}}}}}}},
      {"Workspace",
       {object({{"workspace", text()}, {"settings", reference("WorkspaceSettings")}}),
        {{"workspace", "demo"}, {"settings", {{"title", "Demo"}, {"auto_create", true}}}}}},
      {"Feed",
       {object({{"workspace", text()},
                {"feed", text()},
                {"url", text()},
                {"head", whole()},
                {"floor", whole()},
                {"settings", reference("FeedSettings")}}),
        feed_example()}},
      {"Redaction", {object({{"id", text()}}), {{"id", "urn:example:1"}}}},
      {"Redacted", {object({{"erased", list_of(whole())}, {"record", whole()}}), {{"erased", {7}}, {"record", 43}}}},
      {"NewSignedUrl",
       {object({{"url", text()}, {"filter", text()}, {"expires_in", text()}}, std::vector<std::string>{"expires_in"}),
        {{"url", "/demo/events?format=rss"}, {"filter", "cat=news"}, {"expires_in", "30d"}}}},
      {"SignedUrl",
       {noted({{"url", text()}, {"expires", time()}}),
        {{"url",
          "https://feeds.example/demo/events?format=rss&filter=%2Bnews&expires=1798362120&signature=0m8ZcAJb..."},
         {"expires", "2026-12-27T09:02:00.000000Z"}}}},
      {"KeyRotation",
       {object({{"new_key", flag()}, {"drop_old", flag()}}, std::vector<std::string>()), {{"new_key", true}}}},
      {"KeyRotated",
       {object({{"key", text()}, {"sealed_again", whole()}, {"lost", whole()}, {"older", list_of(text())}}),
        {{"key", "5f0c1d9e"}, {"sealed_again", 10412}, {"lost", 0}, {"older", {"without an id"}}}}},
      {"Token", {token_schema(), kToken}},
      {"Tokens", {object({{"tokens", list_of(reference("Token"))}}), {{"tokens", Json::array({kToken})}}}},
      {"NewToken",
       {object({{"name", text()}, {"scopes", text()}, {"on", text()}, {"filter", text()}, {"expires_in", text()}},
               std::vector<std::string>{"name", "on"}),
        {{"name", "ci"}, {"scopes", "publish,edit"}, {"on", "demo/*"}, {"expires_in", "90d"}}}},
      {"CreatedToken",
       {created_token_schema(),
        {{"name", "ci"},
         {"token", "crt_00000000000000000000000000000000"},
         {"scopes", "publish,edit"},
         {"on", "demo/*"},
         {"filter", ""},
         {"expires", "2027-02-22T09:30:00.000000Z"}}}},
      {"Subscription", {subscription_schema(), subscription_example()}},
      {"Subscriptions",
       {object({{"subscriptions", list_of(reference("Subscription"))}, {"after", or_null(whole())}}),
        {{"subscriptions", Json::array({subscription_example()})}, {"after", nullptr}}}},
      {"Replay", {object({{"position", whole()}}), {{"position", 40}}}},
      {"Generation", {object({{"generation", whole()}}), {{"generation", 2}}}},
      {"Problem",
       {{{"type", "object"},
         {"properties", {{"type", text()}, {"title", text()}, {"status", whole()}, {"detail", text()}}},
         {"required", {"title", "status", "detail"}}},
        {{"type", "about:blank"}, {"title", "Not Found"}, {"status", 404}, {"detail", "There is no workspace demo"}}}},
  };
  return kSchemas;
}

}  // namespace courant::server
