#include "server/commands/command_line.h"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "kernel/time.h"
#include "server/settings/config_table.h"

namespace courant::server {

CommandLine::CommandLine()
    : app_(std::make_unique<CLI::App>("Courant, an event feed server: Atom in, cacheable pages out.", "courant")) {
  app_->set_version_flag("--version", "courant " COURANT_VERSION);
  app_->require_subcommand(1);
  app_->footer("Example:\n  courant serve --data /var/lib/courant --listen 127.0.0.1:8080");
}

CommandLine::~CommandLine() = default;

CLI::App& CommandLine::add(const std::string& name, const std::string& help, std::function<int()> run,
                           CLI::App* group) {
  CLI::App* const command = (group == nullptr ? app_.get() : group)->add_subcommand(name, help);
  command->callback([this, run = std::move(run)] { chosen_ = run; });
  return *command;
}

CLI::App& CommandLine::group(const std::string& name, const std::string& help) {
  CLI::App* const group = app_->add_subcommand(name, help);
  group->require_subcommand(1);
  return *group;
}

void CommandLine::add_flags(CLI::App& command, Flags which) {
  command.add_option("--data", data_, "the data directory; holds a private PostgreSQL unless --database is given")
      ->capture_default_str();
  command.add_option("--config", config_file_, "a TOML file, see docs/CONFIGURATION.md; without: workspace demo alone");
  Config defaults;
  for (const Setting<Config>& setting : config_settings()) {
    if (setting.rules.flag.empty() || (which == Flags::kDatabase && setting.section != "database")) continue;
    CLI::Option* const option =
        command.add_option(std::string(setting.rules.flag), settings_[setting.rules.flag],
                           std::string(setting.help) + " [" + value_text(setting, defaults) + "]");
    option->type_name("TEXT")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    option->allow_extra_args(false);  // what follows the value is the command's
  }
}

ConfigReading CommandLine::read_configuration() const {
  ConfigReading reading;
  reading.config = default_config();
  if (!config_file_.empty()) reading = read_config_file(config_file_);
  if (!reading.faults.empty()) return reading;
  for (const auto& [flag, values] : settings_) {
    if (values.empty()) continue;
    if (std::optional<Fault> fault = set_by_flag(reading.config, flag, values)) {
      reading.faults.push_back(*std::move(fault));
    }
  }
  return reading;
}

ServeOptions CommandLine::unread_options() const {
  ServeOptions options;
  options.data = data_;
  options.config_file = config_file_;
  options.read_again = [this] { return read_configuration(); };
  options.arguments = arguments_;
  return options;
}

int CommandLine::with_options(const std::function<int(ServeOptions)>& run) const {
  ServeOptions options = unread_options();
  ConfigReading reading = options.read_again();
  if (!reading.faults.empty()) {
    const bool is_flag = reading.faults.front().detail.starts_with("--");
    std::fputs(fault_lines(is_flag ? "courant" : config_file_, reading.faults).c_str(), stderr);
    return 1;
  }
  options.config = std::move(reading.config);
  return run(std::move(options));
}

CLI::App& CommandLine::add_on_data(const std::string& name, const std::string& help, Flags which,
                                   std::function<int(ServeOptions)> run, CLI::App* group) {
  CLI::App& command = add(
      name, help, [this, run = std::move(run)] { return with_options(run); }, group);
  add_flags(command, which);
  return command;
}

void CommandLine::use_config(const std::string& file) {
  if (config_file_.empty()) config_file_ = file;
}

int CommandLine::run(int argc, char** argv) {
  arguments_.assign(argv + 1, argv + argc);
  CLI11_PARSE(*app_, argc, argv);
  return chosen_();
}

CLI::Option& add_duration(CLI::App& command, const std::string& name,
                          std::function<void(std::chrono::milliseconds)> take, const std::string& help) {
  const auto no_duration = [](const std::string& text) {
    return parse_duration(text)
               ? std::string()
               : text + " is no duration such as 90s, 12h or 30d, of at most " + format_duration(kLongestDuration);
  };
  return *command
              .add_option_function<std::string>(
                  name, [take = std::move(take)](const std::string& text) { take(*parse_duration(text)); }, help)
              ->check(no_duration)
              ->type_name("DURATION");
}

}  // namespace courant::server
