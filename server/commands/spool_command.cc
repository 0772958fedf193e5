#include "server/commands/spool_command.h"

#include <cstdio>
#include <filesystem>

#include <unistd.h>

#include "kernel/uri.h"
#include "server/commands/command_line.h"
#include "server/commands/spool_sender.h"

namespace courant::server {
namespace {

namespace fs = std::filesystem;

constexpr int kNotAll = 1;

// Over what progress has written.
void say_over_progress(const std::string& sentence) {
  std::fprintf(stderr, "%scourant: %s\n", ::isatty(STDERR_FILENO) == 1 ? "\r" : "", sentence.c_str());
}

// What is wrong with the call; nullopt: nothing.
std::optional<std::string> fault_of(const PublishOptions& options) {
  if (options.feed_url.empty()) return std::nullopt;
  const std::optional<Uri> url = parse_uri(options.feed_url);
  if (!url || (url->scheme != "http" && url->scheme != "https") || url->host.empty()) {
    return options.feed_url + " is no feed's URL, such as http://127.0.0.1:8080/demo/events: nothing was spooled";
  }
  if (options.files.empty()) return "files are missing: courant publish --spool DIR FEED-URL FILE...";
  return std::nullopt;
}

// Puts all files into the spool; the group's name. nullopt: nothing was put there, and why has been said.
std::optional<std::string> spool_files(Spool& spool, const PublishOptions& options) {
  Spool::Adding adding = spool.begin();
  for (const std::string& file : options.files) {
    const Result<std::string> text = read_whole(file);
    if (!text) {
      say_over_progress(text.fault().detail + ": nothing was spooled");
      return std::nullopt;
    }
    adding.put(file, *text);
  }
  return adding.commit(options.feed_url);
}

int send(Spool& spool, const PublishOptions& options, const std::string& own_group) {
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  const auto show = [is_terminal](std::size_t sent) {
    if (is_terminal) std::fprintf(stderr, "\r%zu sent", sent);
  };
  const Sent sent =
      SpoolSender(spool,
                  {{options.token, options.feed_url}, options.patience, options.attempt, say_over_progress, show})
          .send_all();
  if (is_terminal) std::fputs("\r", stderr);
  const std::size_t left = spool.count();
  std::printf("%zu published, %zu stored before, %zu refused, %zu left\n", sent.created, sent.known, sent.refused,
              left);
  // Another process may have sent what this call has put there.
  const bool is_own_refused = !own_group.empty() && spool.refused_of(own_group) > 0;
  if (sent.refused > 0 || is_own_refused) return kNotAll;
  return left > 0 ? kLeftOver : 0;
}

}  // namespace

int publish_spooled(const PublishOptions& options) {
  if (const std::optional<std::string> fault = fault_of(options)) {
    say_over_progress(*fault);
    return kWrongCall;
  }
  bool is_spooled = options.files.empty();
  try {
    Spool spool(*options.spool);
    std::string group;
    if (!is_spooled) {
      std::optional<std::string> added = spool_files(spool, options);
      if (!added) return kNotAll;
      group = *std::move(added);
      is_spooled = true;
      spool.make_durable();
      std::printf("%zu spooled in %s\n", options.files.size(), spool.folder().c_str());
      std::fflush(stdout);
    }
    return send(spool, options, group);
  } catch (const fs::filesystem_error& error) {
    say_over_progress("the spool cannot be used: " + error.path1().string() + ": " + error.code().message() +
                      (is_spooled ? ": what is not sent stays in it" : ": nothing was spooled"));
    return kNotAll;
  }
}

}  // namespace courant::server
