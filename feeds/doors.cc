#include "feeds/doors.h"

#include "kernel/log.h"

namespace courant::feeds {

std::shared_ptr<const EntryDoor> Doors::find(const DoorSettings& settings) const {
  const std::optional<Made> made = known(to_json(settings));
  return made && *made ? **made : nullptr;
}

Result<std::shared_ptr<const EntryDoor>> Doors::of(const DoorSettings& settings) const {
  const std::string key = to_json(settings);
  if (std::optional<Made> made = known(key)) return *std::move(made);
  Result<EntryDoor> compiled = EntryDoor::compile(settings, folder_);
  if (!compiled) log_error("a feed's schema or stylesheet cannot be used", {{"why", compiled.fault().detail}});
  Made made = compiled ? Made(std::make_shared<const EntryDoor>(*std::move(compiled))) : Made(compiled.fault());
  const std::lock_guard lock(mutex_);
  return made_.emplace(key, std::move(made)).first->second;  // another thread may have been faster
}

std::optional<Doors::Made> Doors::known(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = made_.find(key);
  return found == made_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Fault> Doors::fault_of(const DoorSettings& settings) const {
  if (settings.is_open()) return std::nullopt;
  const Result<EntryDoor> compiled = EntryDoor::compile(settings, folder_);
  return compiled ? std::nullopt : std::optional(compiled.fault());
}

}  // namespace courant::feeds
