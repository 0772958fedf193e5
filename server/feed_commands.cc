#include "server/feed_commands.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include <unistd.h>

#include "feeds/feed_reading.h"
#include "kernel/digest.h"
#include "kernel/durable_files.h"
#include "kernel/log.h"
#include "kernel/text.h"
#include "server/asking.h"
#include "server/spool_command.h"

namespace courant::server {
namespace {

using http::ClientReply;
using http::ClientRequest;

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

}  // namespace

Result<std::string> read_whole(const std::string& path) {
  try {
    return path == "-" ? read_rest(Descriptor(::dup(STDIN_FILENO)), path) : read_file(path);
  } catch (const std::filesystem::filesystem_error& error) {
    return Fault{path + " cannot be read: " + error.code().message()};
  }
}

int publish(const PublishOptions& options) {
  if (options.spool) return publish_spooled(options);
  if (options.feed_url.empty() || options.files.empty()) {
    std::fputs("courant: publish needs a feed and files: courant publish FEED-URL FILE...\n", stderr);
    return 2;
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
    const ClientRequest request = posting_of(options.feed_url, to_hex(random_bytes(16)), *std::move(text));
    const ClientReply reply = asking.ask_until_answered(request);
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

int tail(const TailOptions& options) {
  Asking asking({options.token, options.feed_url});
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

}  // namespace courant::server
