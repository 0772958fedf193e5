#include "server/settings/changed_settings.h"

#include "server/settings/config_table.h"

namespace courant::server {

std::vector<ChangedSetting> changed_settings(const Config& running, const Config& read) {
  std::vector<ChangedSetting> changed;
  Config before = running;  // fields are reached through functions that could write
  Config after = read;
  for (const Setting<Config>& setting : config_settings()) {
    std::string old_text = value_text(setting, before);
    std::string new_text = value_text(setting, after);
    if (old_text == new_text) continue;
    changed.push_back({std::string(setting.section) + "." + std::string(setting.name), std::move(old_text),
                       std::move(new_text), setting.rules.reloads});
  }
  return changed;
}

Config taken_over(const Config& running, const Config& read) {
  Config taken = read;
  Config before = running;
  for (const Setting<Config>& setting : config_settings()) {
    if (setting.rules.reloads) continue;
    std::visit([&](auto field) { field(taken) = field(before); }, setting.field);
  }
  return taken;
}

}  // namespace courant::server
