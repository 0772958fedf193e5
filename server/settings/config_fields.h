// Values of the configuration file, put where the table of settings says, each by the rules of its row.
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <toml++/toml.h>

#include "kernel/result.h"
#include "server/settings/config_table.h"

namespace courant::server {

class ConfigFields {
 public:
  // What is wrong with a value is appended to faults, with its place in the file; its field stays as it is.
  explicit ConfigFields(std::vector<Fault>& faults) : faults_(faults) {}

  void fault(const toml::node& node, std::string detail);

  // name: of the setting, as faults call it.
  template <class Target>
  void set(const Setting<Target>& setting, Target& target, const std::string& name, const toml::node& node) {
    std::visit([&](auto field) { read(setting.rules, field(target), name, node); }, setting.field);
  }

 private:
  void read(const Rules& rules, std::string& field, const std::string& name, const toml::node& node);
  void read(const Rules& rules, bool& field, const std::string& name, const toml::node& node);
  void read(const Rules& rules, std::int64_t& field, const std::string& name, const toml::node& node);
  void read(const Rules& rules, std::chrono::milliseconds& field, const std::string& name, const toml::node& node);
  void read(const Rules& rules, feeds::Retention& field, const std::string& name, const toml::node& node);
  void read(const Rules& rules, std::vector<std::string>& field, const std::string& name, const toml::node& node);
  void read(const Rules& rules, std::vector<std::chrono::milliseconds>& field, const std::string& name,
            const toml::node& node);
  void read(const Rules&, std::vector<schema::Assertion>& field, const std::string& name, const toml::node& node);
  void read(const Rules&, std::vector<feeds::FormSettings>& field, const std::string& name, const toml::node& node);

  std::optional<std::string> text_of(const Rules& rules, const std::string& name, const toml::node& node);
  std::optional<std::chrono::milliseconds> duration_of(const Rules& rules, const std::string& name,
                                                       const toml::node& node);

  std::vector<Fault>& faults_;
};

}  // namespace courant::server
