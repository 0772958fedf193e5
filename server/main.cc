// The program: its commands, each of which is declared by the file that does it.
#include "server/commands/command_line.h"

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer does not see how libstdc++ counts who holds an exception: the last one who lets go of it races with
// nobody.
extern "C" const char* __tsan_default_suppressions() {  // NOLINT: the sanitizer's name
  return "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
#endif

#if defined(__SANITIZE_ADDRESS__)
// libpqxx loses a result, some hundred bytes, where its connection dies under a statement. Whatever holds results or
// connections is ours, and its leaks are found.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT: the sanitizer's name
  return "leak:libpq.so\n";
}
// What is suppressed is no report.
extern "C" const char* __lsan_default_options() {  // NOLINT: the sanitizer's name
  return "print_suppressions=0";
}
#endif

int main(int argc, char** argv) {
  using namespace courant::server;
  CommandLine line;
  add_serving_commands(line);
  add_check_config_command(line);
  add_doctor_command(line);
  add_publish_command(line);
  add_tail_command(line);
  add_verify_command(line);
  add_apply_commands(line);
  add_subscription_commands(line);
  add_log_commands(line);
  add_secrets_command(line);
  add_token_commands(line);
  add_import_commands(line);
  return line.run(argc, argv);
}
