#include "feeds/cloud_events.h"

#include <algorithm>
#include <sstream>

#include <pugixml.hpp>

#include "feeds/indexed_object.h"
#include "kernel/digest.h"
#include "kernel/text.h"
#include "kernel/time.h"
#include "kernel/uri.h"

namespace courant::feeds {
namespace {

constexpr int kDeepest = 64;
constexpr std::size_t kLongestId = 2048;

// How data stands in the content: attribute "data" of the extension element.
constexpr const char* kText = "text";
constexpr const char* kJson = "json";
constexpr const char* kBase64 = "base64";

struct TooDeep {};

Result<IndexedJson> parse(std::string_view text) {
  const auto guard = [](int depth, IndexedJson::parse_event_t, IndexedJson&) {
    if (depth > kDeepest) throw TooDeep{};
    return true;
  };
  try {
    return IndexedJson::parse(text, guard);
  } catch (const IndexedJson::parse_error& error) {
    return Fault{"this is not JSON: it breaks off or goes wrong at byte " + std::to_string(error.byte)};
  } catch (const IndexedJson::out_of_range&) {
    return Fault{"a number in the JSON is larger than can be kept"};
  } catch (const TooDeep&) {
    return Fault{"the JSON is nested more than " + std::to_string(kDeepest) + " levels deep"};
  }
}

std::string text_of(const IndexedJson& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string_view::npos;
}

// What CloudEvents demands of the context attributes (sections 3.1 and 3.2).
std::optional<Fault> broken_rule(const IndexedJson& event) {
  if (!event.is_object()) return Fault{"a CloudEvent is a JSON object"};
  if (text_of(event, "specversion") != "1.0") return Fault{"specversion must be \"1.0\""};
  for (const char* const name : {"id", "source", "type"}) {
    if (text_of(event, name).empty()) return Fault{std::string(name) + " must be a string that is not empty"};
  }
  for (const auto& [name, value] : event.items()) {
    if (name == "data" || name == "data_base64") continue;
    if (!is_attribute_name(name))
      return Fault{"the attribute name '" + name + "' has other characters than a-z and 0-9"};
    if (value.is_structured()) return Fault{"the attribute " + name + " must be a string, a number or a boolean"};
  }
  for (const char* const name : {"subject", "datacontenttype", "dataschema", "time"}) {
    if (event.contains(name) && !event[name].is_null() && text_of(event, name).empty())
      return Fault{std::string(name) + " must be a string that is not empty"};
  }
  const std::string time = text_of(event, "time");
  if (!time.empty() && !parse_rfc3339(time)) return Fault{"time must be an instant as in RFC 3339, not " + time};
  if (event.contains("data") && event.contains("data_base64")) return Fault{"data and data_base64 exclude each other"};
  if (event.contains("data_base64") && !from_base64(text_of(event, "data_base64")))
    return Fault{"data_base64 is not base64"};
  return std::nullopt;
}

// Whether XML gives the text back as it was: a carriage return comes back as a line feed.
bool is_xml_text(std::string_view text) {
  return lacked_by_xml(text).empty() && text.find('\r') == std::string_view::npos;
}

bool is_json_type(std::string_view type) {
  const std::string bare = ascii_lower(trim(split(type, ';').front()));
  return bare.empty() || bare.ends_with("/json") || bare.ends_with("+json");
}

std::string dumped(const IndexedJson& value) {
  const std::string text = value.dump();
  return is_xml_text(text) ? text : value.dump(-1, ' ', true);
}

std::string id_of(const IndexedJson& event) {
  const std::string id =
      "urn:courant:cloudevent:" + percent_encode(text_of(event, "source")) + ":" + percent_encode(text_of(event, "id"));
  return id.size() <= kLongestId ? id : "urn:uuid:" + uuid_v5(id);
}

void add_category(pugi::xml_node& entry, const std::string& term, const char* scheme) {
  if (term.empty()) return;
  pugi::xml_node category = entry.append_child("category");
  category.append_attribute("term") = term.c_str();
  category.append_attribute("scheme") = (std::string(kEventNamespace) + ":" + scheme).c_str();
}

// The content; returns how data stands in it.
const char* add_data(pugi::xml_node& entry, const IndexedJson& event) {
  if (const std::string encoded = text_of(event, "data_base64"); event.contains("data_base64")) {
    pugi::xml_node content = entry.append_child("content");
    const std::string type = text_of(event, "datacontenttype");
    content.append_attribute("type") = type.empty() ? "application/octet-stream" : type.c_str();
    content.text().set(encoded.c_str());
    entry.append_child("summary").text().set(text_of(event, "type").c_str());  // RFC 4287 4.1.1 wants one beside base64
    return kBase64;
  }
  const auto data = event.find("data");
  if (data == event.end()) return "";
  pugi::xml_node content = entry.append_child("content");
  content.append_attribute("type") = "text";
  const bool is_text = data->is_string() && !is_json_type(text_of(event, "datacontenttype")) &&
                       is_xml_text(data->get_ref<const std::string&>());
  content.text().set((is_text ? data->get<std::string>() : dumped(*data)).c_str());
  return is_text ? kText : kJson;
}

std::optional<Fault> append_entry(pugi::xml_node& parent, const IndexedJson& event) {
  if (std::optional<Fault> broken = broken_rule(event)) return broken;
  pugi::xml_node entry = parent.append_child("entry");
  entry.append_attribute("xmlns") = "http://www.w3.org/2005/Atom";
  entry.append_child("id").text().set(id_of(event).c_str());
  const std::string type = text_of(event, "type");
  if (!is_xml_text(type) || !is_xml_text(text_of(event, "subject")))
    return Fault{"type and subject must not have control characters"};
  entry.append_child("title").text().set(type.c_str());
  if (const std::string time = text_of(event, "time"); !time.empty())
    entry.append_child("updated").text().set(format_rfc3339(*parse_rfc3339(time)).c_str());
  add_category(entry, type, "type");
  if (const std::string subject = text_of(event, "subject"); subject != type) add_category(entry, subject, "subject");
  const char* const data = add_data(entry, event);
  IndexedJson context = event;
  context.erase("data");
  context.erase("data_base64");
  pugi::xml_node extension = entry.append_child("ce:event");
  extension.append_attribute("xmlns:ce") = std::string(kEventNamespace).c_str();
  extension.append_attribute("data") = data;
  extension.text().set(dumped(context).c_str());
  return std::nullopt;
}

std::string written(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return out.str();
}

// Anybody may publish an entry that looks as if it had been an event: nullopt where it was none.
std::optional<IndexedJson> stored_event(const EntryView& entry) {
  if (entry.event.empty()) return std::nullopt;
  Result<IndexedJson> event = parse(entry.event);
  if (!event) return std::nullopt;
  if (entry.event_data == kText) (*event)["data"] = entry.content;
  if (entry.event_data == kBase64) (*event)["data_base64"] = entry.content;
  if (entry.event_data == kJson) {
    Result<IndexedJson> data = parse(entry.content);
    if (!data) return std::nullopt;
    (*event)["data"] = *std::move(data);
  }
  return broken_rule(*event) ? std::nullopt : std::optional(*std::move(event));
}

IndexedJson value_of(const EntryView& entry, const std::string& source) {
  std::optional<IndexedJson> event = stored_event(entry);
  if (!event) {
    return {{"specversion", "1.0"},    {"id", entry.id},        {"source", source},
            {"type", "courant.entry"}, {"time", entry.updated}, {"datacontenttype", "application/atom+xml"},
            {"data", entry.xml}};
  }
  return *std::move(event);
}

}  // namespace

Result<std::string> entry_of_event(std::string_view text) {
  const Result<IndexedJson> event = parse(text);
  if (!event) return event.fault();
  pugi::xml_document document;
  if (std::optional<Fault> broken = append_entry(document, *event)) return *std::move(broken);
  return written(document);
}

Result<std::string> feed_of_events(std::string_view text) {
  const Result<IndexedJson> events = parse(text);
  if (!events) return events.fault();
  if (!events->is_array()) return Fault{"a batch of CloudEvents is a JSON array"};
  pugi::xml_document document;
  pugi::xml_node feed = document.append_child("feed");
  feed.append_attribute("xmlns") = "http://www.w3.org/2005/Atom";
  for (std::size_t i = 0; i < events->size(); ++i) {
    if (std::optional<Fault> broken = append_entry(feed, (*events)[i])) {
      return Fault{"event " + std::to_string(i) + ": " + broken->detail};
    }
  }
  return written(document);
}

std::string event_of(const EntryView& entry, const std::string& source) {
  return value_of(entry, source).dump(1) + "\n";
}

std::string events_of(const std::vector<EntryView>& entries, const std::string& source) {
  IndexedJson events = IndexedJson::array();
  for (const EntryView& entry : entries) events.push_back(value_of(entry, source));
  return events.dump(1) + "\n";
}

}  // namespace courant::feeds
