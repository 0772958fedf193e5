// courant tail: prints a feed's entries as they come, over HTTP, as any client could.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "feeds/feed_reading.h"
#include "kernel/text.h"
#include "server/commands/asking.h"
#include "server/commands/command_line.h"

namespace courant::server {
namespace {

using http::ClientReply;
using http::ClientRequest;

struct TailOptions {
  std::string feed_url;
  std::string token_file;
  std::optional<std::int64_t> from;   // print what comes after this position; nullopt: after the feed's head
  bool as_xml = false;                // whole entries instead of a line each
  std::optional<std::int64_t> count;  // end after so many entries
};

constexpr std::chrono::seconds kWait{30};
constexpr std::chrono::seconds kPollPause{1};  // where the server does not hold answers back
constexpr std::size_t kMaxPage = 64 << 20;

ClientRequest get(const std::string& url, std::chrono::seconds wait) {
  ClientRequest request;
  request.url = url;
  request.deadline = wait + std::chrono::seconds(30);
  request.max_body = kMaxPage;
  request.headers = {{"Accept", "application/atom+xml"}};
  if (wait.count() > 0) request.headers.emplace_back("Prefer", "wait=" + std::to_string(wait.count()));
  return request;
}

std::int64_t position_in(const ClientReply& reply) {
  return static_cast<std::int64_t>(parse_unsigned(reply.header("Feed-Position").value_or("0")).value_or(0));
}

// Another program gets the XML as it is; a person's terminal obeys nothing of it.
void print(const feeds::ReadEntry& entry, bool as_xml) {
  static const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  if (!as_xml) {
    const std::string texts = entry.updated + "  " + entry.id + "  " + entry.title;
    std::printf("%lld  %s\n", static_cast<long long>(entry.position), without_controls(texts).c_str());
    return;
  }
  for (const std::string_view line : split(entry.xml, '\n')) {
    std::printf("%s\n", is_terminal ? without_controls(line).c_str() : std::string(line).c_str());
  }
}

// Prints entries as they come, oldest first, until stopped. The exit status.
int tail(const TailOptions& options, const std::string& token) {
  Asking asking({token, options.feed_url});
  std::int64_t position = options.from.value_or(0);
  if (!options.from) {
    const ClientReply head = asking.ask_until_answered(get(options.feed_url + "?limit=1", {}));
    if (head.status != 200) {
      std::fprintf(stderr, "courant: %s cannot be read: %s\n", options.feed_url.c_str(), reason_of(head).c_str());
      return 1;
    }
    position = position_in(head);
  }
  std::int64_t left = options.count.value_or(INT64_MAX);
  while (left > 0) {
    const std::string url = options.feed_url + "?marker=" + std::to_string(position) + "&direction=forward&limit=100";
    const ClientReply reply = asking.ask_until_answered(get(url, kWait));
    Result<feeds::ReadFeed> feed = Fault{reason_of(reply)};
    if (reply.status == 200) feed = feeds::read_feed_document(reply.body);
    if (!feed) {
      std::fprintf(stderr, "courant: %s cannot be read: %s\n", url.c_str(),
                   without_controls(feed.fault().detail).c_str());
      return 1;
    }
    std::reverse(feed->entries.begin(), feed->entries.end());
    for (const feeds::ReadEntry& entry : feed->entries) {
      if (left-- <= 0) break;
      print(entry, options.as_xml);
    }
    std::fflush(stdout);
    position = std::max(position, position_in(reply));
    const bool was_held = reply.header("Preference-Applied").has_value();
    if (feed->entries.empty() && !was_held) std::this_thread::sleep_for(kPollPause);
  }
  return 0;
}

}  // namespace

void add_tail_command(CommandLine& line) {
  const auto options = std::make_shared<TailOptions>();
  CLI::App& tailing = line.add("tail", "print a feed's entries as they come, oldest first", [options] {
    return with_token(options->token_file, [&options](const std::string& token) { return tail(*options, token); });
  });
  tailing.add_option("feed", options->feed_url, "the feed's URL: http://127.0.0.1:8080/demo/events")->required();
  add_token_file(tailing, options->token_file);
  tailing.add_option("--from", options->from, "begin after this position (0: with the first entry); default: the head");
  tailing.add_option("--count", options->count, "end after so many entries");
  tailing.add_flag("--xml", options->as_xml, "print whole entries");
}

}  // namespace courant::server
