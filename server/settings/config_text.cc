// Settings as they would stand in the file.
#include "kernel/digest.h"
#include "kernel/time.h"
#include "server/settings/config_table.h"

namespace courant::server {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kOneMebibyte = 1 << 20;

std::string size_text(std::int64_t bytes) {
  if (bytes > 0 && bytes % kOneMebibyte == 0) return toml_string(std::to_string(bytes / kOneMebibyte) + "MiB");
  if (bytes > 0 && bytes % 1024 == 0) return toml_string(std::to_string(bytes / 1024) + "KiB");
  return std::to_string(bytes);
}

std::string retention_text(const feeds::Retention& retain) {
  if (retain.entries > 0) return toml_string(std::to_string(retain.entries) + " entries");
  if (retain.age.count() > 0) return toml_string(format_duration(retain.age));
  return toml_string("forever");
}

template <class List, class Write>
std::string list_text(const List& list, Write write) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : ", ") + write(item);
  return "[" + out + "]";
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (code < 0x20 || code == 0x7f) {
      out += "\\u00" + to_hex(std::string_view(&c, 1));
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <class Target>
std::string value_text(const Setting<Target>& setting, Target& target) {
  struct Writer {
    const Setting<Target>& setting;
    Target& target;
    std::string operator()(Text (*field)(Target&)) const { return toml_string(field(target)); }
    std::string operator()(Flag (*field)(Target&)) const {
      if (setting.rules.words.size() == 2) return toml_string(setting.rules.words[field(target) ? 1 : 0]);
      return field(target) ? "true" : "false";
    }
    std::string operator()(Number (*field)(Target&)) const {
      return setting.rules.is_size ? size_text(field(target)) : std::to_string(field(target));
    }
    std::string operator()(Duration (*field)(Target&)) const { return toml_string(format_duration(field(target))); }
    std::string operator()(feeds::Retention& (*field)(Target&)) const { return retention_text(field(target)); }
    // Pairs, which TOML and JSON write alike.
    std::string operator()(std::vector<schema::Assertion>& (*field)(Target&)) const {
      return list_text(field(target), [](const schema::Assertion& assertion) {
        return "[" + toml_string(assertion.xpath) + ", " + toml_string(assertion.message) + "]";
      });
    }
    std::string operator()(std::vector<feeds::FormSettings>& (*field)(Target&)) const {
      return list_text(field(target), [](const feeds::FormSettings& form) {
        return "[" + toml_string(form.name) + ", " + toml_string(form.media_type) + ", " +
               toml_string(form.stylesheet) + "]";
      });
    }
    std::string operator()(Texts (*field)(Target&)) const { return list_text(field(target), toml_string); }
    std::string operator()(Durations (*field)(Target&)) const {
      return list_text(field(target), [](milliseconds pause) { return toml_string(format_duration(pause)); });
    }
  };
  return std::visit(Writer{setting, target}, setting.field);
}

template std::string value_text(const Setting<Config>&, Config&);
template std::string value_text(const Setting<WorkspaceConfig>&, WorkspaceConfig&);
template std::string value_text(const Setting<FeedConfig>&, FeedConfig&);

}  // namespace courant::server
