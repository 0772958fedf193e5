// The command line: what commands there are, what each takes, and what runs it. The file that does a command declares
// it here; main.cc says which there are.
// Threads: the main thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/app.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace courant::server {

// The exit status of a call with wrong words, as CLI11's faults have others above 100.
constexpr int kWrongCall = 2;

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // A command, and what runs it once its options are read: the exit status. group: what group() gave; null: none.
  CLI::App& add(const std::string& name, const std::string& help, std::function<int()> run, CLI::App* group = nullptr);

  // What stands before the names of commands that belong together, as in `courant token create`.
  CLI::App& group(const std::string& name, const std::string& help);

  // Commands that work on a server's data have its flags: --data, --config, and those of the settings table, all or the
  // database's alone.
  enum class Flags { kAll, kDatabase };
  void add_flags(CLI::App& command, Flags which);
  // What they say, beside the configuration, which can be read by read_again().
  ServeOptions unread_options() const;
  // Runs with the configuration as well; where that has a fault it is said, and the exit status is 1.
  int with_options(const std::function<int(ServeOptions)>& run) const;
  // A command with such flags, run with such options.
  CLI::App& add_on_data(const std::string& name, const std::string& help, Flags which,
                        std::function<int(ServeOptions)> run, CLI::App* group = nullptr);

  // Where no --config is given.
  void use_config(const std::string& file);

  // Parses, and runs the command that was meant. The exit status; what is wrong with the words has been said.
  int run(int argc, char** argv);

 private:
  ConfigReading read_configuration() const;

  std::unique_ptr<CLI::App> app_;
  std::string data_ = "data";
  std::string config_file_;
  std::map<std::string_view, std::vector<std::string>> settings_;  // beside the file; by flag
  std::vector<std::string> arguments_;
  std::function<int()> chosen_;
};

// An option whose value is a duration, such as 90s, 12h or 30d.
CLI::Option& add_duration(CLI::App& command, const std::string& name,
                          std::function<void(std::chrono::milliseconds)> take, const std::string& help);

// What every declaration of a command is: it adds one, or some that belong together.
void add_serving_commands(CommandLine& line);       // serve, hub, migrate, keep-postgres
void add_check_config_command(CommandLine& line);   // check-config
void add_doctor_command(CommandLine& line);         // doctor
void add_publish_command(CommandLine& line);        // publish
void add_tail_command(CommandLine& line);           // tail
void add_verify_command(CommandLine& line);         // verify
void add_apply_commands(CommandLine& line);         // apply, export
void add_subscription_commands(CommandLine& line);  // subscriptions ...
void add_log_commands(CommandLine& line);           // redact, delete-feed, delete-workspace, new-generation
void add_secrets_command(CommandLine& line);        // rotate-secrets-key
void add_token_commands(CommandLine& line);         // token ..., sign-url
void add_import_commands(CommandLine& line);        // import ...

}  // namespace courant::server
