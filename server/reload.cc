#include "server/reload.h"

#include "kernel/log.h"
#include "server/settings/changed_settings.h"

namespace courant::server {
namespace {

void log_faults(const std::string& file, const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    log_error("the configuration is not taken over: all stays as it was",
              {{"file", file}, {"line", fault.line}, {"why", fault.detail}});
  }
}

}  // namespace

void apply_log_level(const Config& config) {
  const std::string& level = config.log.level;
  set_log_level(level == "debug"     ? LogLevel::kDebug
                : level == "warning" ? LogLevel::kWarning
                : level == "error"   ? LogLevel::kError
                                     : LogLevel::kInfo);
}

Reload::Reload(const ServeOptions& options, Config as_read, Core& core, http::TlsContext* tls,
               std::function<void(const Config&)> change_server)
    : options_(options),
      running_(std::move(as_read)),
      core_(core),
      tls_(tls),
      change_server_(std::move(change_server)) {}

void Reload::run() {
  ConfigReading reading = options_.read_again();
  if (reading.faults.empty()) {
    if (std::optional<Fault> fault = fault_of_listening(reading.config)) reading.faults.push_back(*std::move(fault));
  }
  if (!reading.faults.empty()) return log_faults(options_.config_file, reading.faults);
  try {
    take_over(reading.config);
  } catch (const std::exception& error) {
    // The database, most likely; sql/ has said more.
    log_faults(options_.config_file, {Fault{error.what()}});
  }
}

void Reload::take_over(const Config& read) {
  const Config taken = taken_over(running_, read);
  const Result<bool> changed = core_.change(taken);
  if (!changed) return log_faults(options_.config_file, {changed.fault()});
  if (change_server_) change_server_(taken);
  read_certificate(taken);
  apply_log_level(taken);
  for (const ChangedSetting& setting : changed_settings(running_, read)) {
    if (setting.reloads) {
      log_info("a setting has changed", {{"setting", setting.name}, {"from", setting.before}, {"to", setting.after}});
    } else {
      log_warning("a setting has changed that cannot at run time: restart the server for it",
                  {{"setting", setting.name}, {"runs_with", setting.before}, {"file_says", setting.after}});
    }
  }
  running_ = taken;
  log_info("the configuration has been read again", {{"file", options_.config_file}});
}

void Reload::read_certificate(const Config& taken) {
  if (tls_ == nullptr) return;
  const Result<bool> reloaded = tls_->reload(taken.tls.certificate, taken.tls.key);
  if (reloaded) {
    log_info("the certificate has been read again");
  } else {
    log_error("the certificate could not be read again, the one before stays", {{"why", reloaded.fault().detail}});
  }
}

}  // namespace courant::server
