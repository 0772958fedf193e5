#include "server/commands/publish_command.h"

#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "kernel/digest.h"
#include "kernel/durable_files.h"
#include "server/commands/asking.h"
#include "server/commands/command_line.h"
#include "server/commands/spool_command.h"

namespace courant::server {
namespace {

// Posts each file, with progress on standard error and a summary. The exit status: 0 where all are stored.
int publish_once(const PublishOptions& options) {
  if (options.feed_url.empty() || options.files.empty()) {
    return say(Fault{"publish needs a feed and files: courant publish FEED-URL FILE..."}, kWrongCall);
  }
  Asking asking({options.token, options.feed_url});
  int created = 0, known = 0, failed = 0;
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  for (std::size_t i = 0; i < options.files.size(); ++i) {
    const std::string& file = options.files[i];
    Result<std::string> text = read_whole(file);
    if (!text) {
      std::fprintf(stderr, "courant: %s\n", text.fault().detail.c_str());
      ++failed;
      continue;
    }
    const http::ClientRequest request = posting_of(options.feed_url, to_hex(random_bytes(16)), *std::move(text));
    const http::ClientReply reply = asking.ask_until_answered(request);
    if (reply.status == 201) {
      ++created;
    } else if (reply.status == 200) {
      ++known;
    } else {
      ++failed;
      std::fprintf(stderr, "%scourant: %s was not stored: %s\n", is_terminal ? "\r" : "", file.c_str(),
                   reason_of(reply).c_str());
    }
    if (is_terminal) std::fprintf(stderr, "\r%zu of %zu", i + 1, options.files.size());
  }
  if (is_terminal) std::fputs("\r", stderr);
  std::printf("%d published, %d stored before, %d failed\n", created, known, failed);
  return failed == 0 ? 0 : 1;
}

void add_spool_options(CLI::App& command, PublishOptions& options) {
  CLI::Option* const spool = command.add_option(
      "--spool", options.spool,
      "a folder that keeps entries until they are stored: for lines and servers that fail. Without feed "
      "and files: sends what was left there");
  CLI::Option& patience = add_duration(
      command, "--patience", [&options](std::chrono::milliseconds given) { options.patience = given; },
      "with --spool: end when no entry was taken for so long, or will have been by the next attempt; what is left "
      "stays "
      "spooled, the exit status is 75. 0s: one attempt [5m]");
  patience.needs(spool);
  command
      .add_flag_callback(
          "--keep-trying", [&options] { options.patience.reset(); }, "with --spool: never give up")
      ->needs(spool)
      ->excludes(&patience);
  add_duration(
      command, "--timeout", [&options](std::chrono::milliseconds given) { options.attempt = given; },
      "with --spool: the longest for one request [30s]")
      .needs(spool);
  command.footer(
      "With --spool the entries of one call are on disk, all or none, before anything is sent. They are sent oldest\n"
      "first, each feed in order, and again until the server says that they are stored; a crash loses and doubles "
      "none.\n"
      "What the server refuses for good (4xx but 408, 425, 429) goes to DIR/refused with the reason beside it; what\n"
      "follows it is sent. Many calls may use one DIR at once.\n"
      "Exit status: 0 all stored; 1 something refused, or not read or spooled; 75 something left, call again.\n"
      "Example:\n  courant publish --spool /var/spool/courant http://127.0.0.1:8080/demo/events event.xml\n"
      "  courant publish --spool /var/spool/courant --keep-trying");
}

}  // namespace

Result<std::string> read_whole(const std::string& path) {
  try {
    return path == "-" ? read_rest(Descriptor(::dup(STDIN_FILENO)), path) : read_file(path);
  } catch (const std::filesystem::filesystem_error& error) {
    return Fault{path + " cannot be read: " + error.code().message()};
  }
}

void add_publish_command(CommandLine& line) {
  const auto options = std::make_shared<PublishOptions>();
  CLI::App& publishing = line.add("publish", "post Atom entries to a feed", [options] {
    return with_token(options->token_file, [&options](const std::string& token) {
      options->token = token;
      return options->spool ? publish_spooled(*options) : publish_once(*options);
    });
  });
  publishing.add_option("feed", options->feed_url, "the feed's URL: http://127.0.0.1:8080/demo/events");
  publishing.add_option("files", options->files, "files, each an Atom entry; - is standard input");
  add_spool_options(publishing, *options);
  add_token_file(publishing, options->token_file);
}

}  // namespace courant::server
