#include "server/commands/spool.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "kernel/digest.h"
#include "kernel/text.h"

namespace courant::server {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kDigits = 20;  // of a group's number: names sort as numbers do
constexpr const char* kManifest = "manifest.json";
constexpr std::string_view kAdding = "adding-";

std::string padded(std::uint64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

std::string file_name(std::size_t number) {
  return padded(number, 6);
}

// The number that a group's name begins with; nullopt: it is no group.
std::optional<std::uint64_t> number_of(std::string_view name) {
  if (name.size() <= kDigits || name[kDigits] != '-') return std::nullopt;
  return parse_unsigned(name.substr(0, kDigits));
}

std::string random_name() {
  return to_hex(random_bytes(8));
}

// Replaces what stands there: a crash may have left it before the entry itself was moved.
void write_reason(const fs::path& path, const std::string& reason) {
  fs::remove(path);
  write_durably(path, reason + "\n");
}

std::string manifest_of(const SpooledGroup& group) {
  json entries = json::array();
  for (const SpooledEntry& entry : group.entries) {
    entries.push_back({{"source", entry.source}, {"sha256", entry.sha256}});
  }
  const json manifest = {{"feed", group.feed_url}, {"key", group.key}, {"entries", entries}};
  return manifest.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

// Throws json::exception where it is none.
SpooledGroup group_of(const std::string& name, const std::string& manifest) {
  const json parsed = json::parse(manifest);
  SpooledGroup group{name, parsed.at("feed"), parsed.at("key")};
  for (const json& entry : parsed.at("entries")) {
    group.entries.push_back({group.entries.size() + 1, entry.at("source"), entry.at("sha256")});
  }
  return group;
}

}  // namespace

Spool::Spool(fs::path folder) : folder_(std::move(folder)) {
  fs::create_directories(refused_folder());
  sync_folder(folder_);
  sync_folder(fs::absolute(folder_ / "..").lexically_normal());
  const Descriptor names = lock_names();
  std::vector<fs::path> dead;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    if (entry.path().filename().string().starts_with(kAdding) && try_lock(entry.path())) dead.push_back(entry.path());
  }
  for (const fs::path& path : dead) fs::remove_all(path);
}

Spool::Adding Spool::begin() {
  // Under the lock of the names, so that nobody takes the new folder for a dead one before it is locked itself.
  const Descriptor names = lock_names();
  fs::path path = folder_ / (std::string(kAdding) + random_name());
  if (!fs::create_directory(path)) {
    throw fs::filesystem_error("make", path, std::make_error_code(std::errc::file_exists));
  }
  Descriptor alive = lock(path);
  return {*this, std::move(path), std::move(alive)};
}

Spool::Adding::Adding(Spool& spool, fs::path folder, Descriptor lock)
    : spool_(spool), folder_(std::move(folder)), lock_(std::move(lock)), group_{"", "", to_hex(random_bytes(16))} {}

Spool::Adding::~Adding() {
  if (folder_.empty()) return;
  try {
    const Descriptor names = spool_.lock_names();  // whoever clears away the dead does not meet half of it
    fs::remove_all(folder_);
  } catch (const fs::filesystem_error&) {
    // The next one that opens the spool clears it away.
  }
}

void Spool::Adding::put(const std::string& source, std::string_view bytes) {
  const std::size_t number = group_.entries.size() + 1;
  write_durably(folder_ / file_name(number), bytes);
  group_.entries.push_back({number, source, to_hex(bytes_of(courant::sha256(bytes)))});
}

std::string Spool::Adding::commit(const std::string& feed_url) {
  group_.feed_url = feed_url;
  write_durably(folder_ / kManifest, manifest_of(group_));
  sync_folder(folder_);
  const Descriptor names = spool_.lock_names();
  const std::vector<std::string> known = spool_.list();
  const std::uint64_t last = known.empty() ? 0 : *number_of(known.back());
  group_.name = padded(last + 1, kDigits) + "-" + random_name();
  fs::rename(folder_, spool_.folder_ / group_.name);
  folder_.clear();
  return group_.name;
}

void Spool::make_durable() const {
  sync_folder(folder_);
}

std::optional<Descriptor> Spool::try_sending() {
  return try_lock(folder_ / "sending");
}

std::vector<std::string> Spool::list() const {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    std::string name = entry.path().filename().string();
    if (number_of(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Under the lock: a listing that runs beside a rename may show a later name and not an earlier one.
std::vector<std::string> Spool::waiting() const {
  const Descriptor names = lock_names();
  return list();
}

std::size_t Spool::count() const {
  std::size_t count = 0;
  for (const std::string& name : waiting()) {
    const std::optional<Result<SpooledGroup>> group = load(name);
    if (group && *group) count += (*group)->entries.size();
  }
  return count;
}

std::optional<Result<SpooledGroup>> Spool::load(const std::string& name) const {
  const fs::path path = folder_ / name;
  std::set<std::string> files;
  try {
    for (const fs::directory_entry& entry : fs::directory_iterator(path))
      files.insert(entry.path().filename().string());
    const bool has_manifest = files.erase(kManifest) == 1;
    if (files.empty()) return std::nullopt;
    if (!has_manifest) return Fault{std::string(kManifest) + " is missing"};
    SpooledGroup group = group_of(name, read_file(path / kManifest));
    std::erase_if(group.entries, [&](const SpooledEntry& entry) { return files.count(file_name(entry.number)) == 0; });
    return group;
  } catch (const json::exception&) {
    return Fault{std::string(kManifest) + " is not what was spooled"};
  } catch (const fs::filesystem_error& error) {
    if (error.code() != std::errc::no_such_file_or_directory) throw;
    return std::nullopt;  // sent by another meanwhile
  }
}

Result<std::string> Spool::read(const SpooledGroup& group, const SpooledEntry& entry) const {
  std::string bytes = read_file(folder_ / group.name / file_name(entry.number));
  if (to_hex(bytes_of(courant::sha256(bytes))) != entry.sha256)
    return Fault{"its bytes are not those that were spooled"};
  return bytes;
}

// Not synced: should it come back after a power cut, it is sent again with the same key, and stored no second time.
void Spool::remove(const SpooledGroup& group, const SpooledEntry& entry) {
  fs::remove(folder_ / group.name / file_name(entry.number));
}

void Spool::refuse(const SpooledGroup& group, const SpooledEntry& entry, const std::string& reason) {
  const std::string name = group.name + "-" + file_name(entry.number);
  const std::string said = "source: " + entry.source + "\nfeed: " + group.feed_url + "\nreason: " + reason;
  write_reason(refused_folder() / (name + ".reason"), said);
  fs::rename(folder_ / group.name / file_name(entry.number), refused_folder() / (name + ".xml"));
  sync_folder(refused_folder());
}

void Spool::refuse(const std::string& group, const std::string& reason) {
  write_reason(refused_folder() / (group + ".reason"), "reason: " + reason);
  fs::rename(folder_ / group, refused_folder() / group);
  sync_folder(refused_folder());
}

// The entries must be gone from the disk before the manifest is: one that came back without it could not be sent.
void Spool::clear(const std::string& name) {
  const fs::path path = folder_ / name;
  if (!fs::exists(path)) return;
  sync_folder(path);
  fs::remove(path / kManifest);
  fs::remove(path);
}

std::size_t Spool::refused_of(const std::string& group) const {
  std::size_t count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(refused_folder())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(group) && name.ends_with(".reason")) ++count;
  }
  return count;
}

}  // namespace courant::server
