// The OpenAPI document of the management API, made from its table (server/management/manage_route.h).
// Specification: OpenAPI 3.1.
#include "server/management/manage_route.h"

namespace courant::server {
namespace {

std::string method_of(const ManageRoute& route) {
  switch (route.method) {
    case http::Method::kPut:
      return "put";
    case http::Method::kPost:
      return "post";
    case http::Method::kDelete:
      return "delete";
    default:
      return "get";
  }
}

Json content_of(std::string_view schema, const char* type = "application/json") {
  const std::string name(schema);
  const Json example = {{"$ref", "#/components/examples/" + name}};
  const Json media = {{"schema", {{"$ref", "#/components/schemas/" + name}}}, {"examples", {{name, example}}}};
  return {{type, media}};
}

Json parameters_of(const ManageRoute& route) {
  Json parameters = Json::array();
  const std::string_view pattern = route.pattern;
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    const std::string name(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
    parameters.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  for (const QueryParameter& one : route.query) {
    parameters.push_back(
        {{"name", one.name}, {"in", "query"}, {"description", one.help}, {"schema", {{"type", one.type}}}});
  }
  return parameters;
}

Json responses_of(const ManageRoute& route) {
  Json responses;
  if (route.answer.empty()) {
    responses["204"] = {{"description", "Done"}};
  } else {
    const bool was_there = route.name != "createToken";
    if (was_there) responses["200"] = {{"description", "Done"}, {"content", content_of(route.answer)}};
    if (route.makes) responses["201"] = {{"description", "Made"}, {"content", content_of(route.answer)}};
  }
  responses["default"] = {{"description", "Not done, and why"},
                          {"content", content_of("Problem", "application/problem+json")}};
  return responses;
}

Json operation_of(const ManageRoute& route) {
  Json operation = {{"operationId", route.name}, {"summary", route.summary}};
  if (const Json parameters = parameters_of(route); !parameters.empty()) operation["parameters"] = parameters;
  if (!route.body.empty()) operation["requestBody"] = {{"required", true}, {"content", content_of(route.body)}};
  operation["responses"] = responses_of(route);
  return operation;
}

}  // namespace

Json openapi_document(const std::string& public_url) {
  Json document = {{"openapi", "3.1.0"},
                   {"info", {{"title", "Courant: managing"}, {"version", "1"}}},
                   {"servers", Json::array({{{"url", public_url}}})},
                   {"security", Json::array({{{"token", Json::array()}}})}};
  for (const ManageRoute& route : manage_table()) {
    document["paths"][std::string(route.pattern)][method_of(route)] = operation_of(route);
  }
  Json& components = document["components"];
  for (const auto& [name, one] : manage_schemas()) {
    components["schemas"][name] = one.schema;
    components["examples"][name]["value"] = one.example;
  }
  components["securitySchemes"]["token"] = {{"type", "http"}, {"scheme", "bearer"}};
  return document;
}

}  // namespace courant::server
