#include "server/feed_commands.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <thread>

#include <unistd.h>

#include "feeds/feed_reading.h"
#include "http/client.h"
#include "kernel/digest.h"
#include "kernel/log.h"
#include "kernel/text.h"

namespace courant::server {
namespace {

using http::ClientReply;
using http::ClientRequest;

constexpr int kAttempts = 6;  // with pauses of 0.2, 0.4, ... seconds between
constexpr std::chrono::seconds kWait{30};
constexpr std::chrono::seconds kPollPause{1};  // where the server does not hold answers back
constexpr std::size_t kMaxPage = 64 << 20;

// The user names the server himself: every address is good.
std::shared_ptr<const http::AddressGuard> any_address() {
  std::vector<http::Network> all = {*http::Network::parse("0.0.0.0/0"), *http::Network::parse("::/0")};
  return std::make_shared<const http::AddressGuard>(std::move(all));
}

// An HTTP client that waits for each answer.
class Asking {
 public:
  ClientReply ask(const ClientRequest& request) {
    std::promise<ClientReply> answered;
    client_.send(request, [&](ClientReply reply) { answered.set_value(std::move(reply)); });
    return answered.get_future().get();
  }

  // Again where nothing was answered or the server is overloaded: requests here may be repeated.
  ClientReply ask_until_answered(const ClientRequest& request) {
    std::chrono::milliseconds pause{200};
    for (int attempt = 1;; ++attempt) {
      ClientReply reply = ask(request);
      const bool is_answered = reply.outcome == ClientReply::Outcome::kAnswered;
      const bool is_temporary = !is_answered || reply.status == 503 || reply.status == 429;
      if (!is_temporary || attempt == kAttempts) return reply;
      std::this_thread::sleep_for(pause);
      pause *= 2;
    }
  }

 private:
  static http::ClientOptions options() {
    http::ClientOptions options;
    options.guard = any_address();
    return options;
  }

  Metrics metrics_;
  http::Client client_{options(), metrics_};
};

std::optional<std::string> read_whole(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What went wrong, for people: the problem document's detail, or what the connection said.
std::string reason_of(const ClientReply& reply) {
  if (reply.outcome != ClientReply::Outcome::kAnswered) {
    return std::string(http::outcome_name(reply.outcome)) + (reply.detail.empty() ? "" : ": " + reply.detail);
  }
  constexpr std::string_view kDetail = "\"detail\":\"";
  const std::size_t begin = reply.body.find(kDetail);
  std::string words = std::to_string(reply.status);
  if (begin == std::string::npos) return words;
  const std::size_t from = begin + kDetail.size();
  return words + ": " + reply.body.substr(from, reply.body.find("\",", from) - from);
}

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

void print(const feeds::ReadEntry& entry, bool as_xml) {
  if (as_xml) {
    std::printf("%s\n", entry.xml.c_str());
  } else {
    std::printf("%lld  %s  %s  %s\n", static_cast<long long>(entry.position), entry.updated.c_str(), entry.id.c_str(),
                entry.title.c_str());
  }
}

}  // namespace

int publish(const PublishOptions& options) {
  Asking asking;
  int created = 0, known = 0, failed = 0;
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  for (std::size_t i = 0; i < options.files.size(); ++i) {
    const std::string& file = options.files[i];
    std::optional<std::string> text = read_whole(file);
    if (!text) {
      std::fprintf(stderr, "courant: %s cannot be read\n", file.c_str());
      ++failed;
      continue;
    }
    ClientRequest request;
    request.method = "POST";
    request.url = options.feed_url;
    request.deadline = std::chrono::seconds(30);
    request.max_body = kMaxPage;
    // The same key with each attempt: an entry without an id is stored once, however often it is sent.
    request.headers = {{"Content-Type", "application/atom+xml;type=entry"},
                       {"Idempotency-Key", to_hex(random_bytes(16))}};
    request.body = http::make_bytes(*std::move(text));
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
  Asking asking;
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
      std::fprintf(stderr, "courant: %s cannot be read: %s\n", url.c_str(), feed.fault().detail.c_str());
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
