// courant verify: checks a feed from outside. Walks its archive over HTTP and remembers how far it was verified.
// Specification: docs/AUDIT.md.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "archive/verification.h"
#include "kernel/durable_files.h"
#include "kernel/text.h"
#include "kernel/time.h"
#include "server/commands/asking.h"
#include "server/commands/command_line.h"

namespace courant::server {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct VerifyOptions {
  std::string feed_url;
  std::string token_file;
  std::string state;    // the file that remembers; empty: below $XDG_STATE_HOME or ~/.local/state
  bool forget = false;  // begin anew: what was verified before is not held against the feed
};

constexpr int kUnreadable = 2;
constexpr std::size_t kLongestDocument = std::size_t{4} << 30;

std::string default_state() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state != '\0') return std::string(state) + "/courant/verified.json";
  const char* const home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/state/courant/verified.json";
}

bool is_verified(const json& feed) {
  if (!feed.is_object() || !feed.contains("position") || !feed.contains("chain")) return false;
  return feed["position"].is_number_integer() && feed["chain"].is_string() &&
         (!feed.contains("generation") || feed["generation"].is_number_integer());
}

// What is remembered of all feeds. A fault where the file is there and cannot be read, or is not ours: it is not
// overwritten, and a run that should have compared does not pass for a first one.
Result<json> read_state(const std::string& path) {
  json state;
  try {
    state = json::parse(read_file(path), nullptr, false);
  } catch (const fs::filesystem_error& error) {
    if (error.code() == std::errc::no_such_file_or_directory) return json::object();
    return Fault{path + " cannot be read: " + error.code().message() +
                 ": put that right, or name another with --state"};
  }
  if (state.is_object() && std::all_of(state.begin(), state.end(), is_verified)) return state;
  return Fault{path + " is not what this command writes: move it away, or name another with --state"};
}

// state: as read_state gives it.
std::optional<archive::Verified> remembered(const json& state, const std::string& feed_url) {
  const auto found = state.find(feed_url);
  if (found == state.end()) return std::nullopt;
  archive::Verified verified;
  verified.position = found->at("position");
  verified.chain = found->at("chain");
  verified.generation = found->value("generation", std::int64_t{1});
  return verified;
}

// Beside what other runs have remembered meanwhile. Written beside its place and moved there, so that an interruption
// loses nothing. False: it cannot be written.
bool remember(const std::string& path, const std::string& feed_url, const archive::Verified& verified) {
  try {
    std::error_code ignored;
    fs::create_directories(fs::path(path).parent_path(), ignored);
    const Descriptor alone = lock(path + ".lock");
    Result<json> state = read_state(path);
    if (!state) return false;
    (*state)[feed_url] = {{"position", verified.position},
                          {"chain", verified.chain},
                          {"generation", verified.generation},
                          {"verified", format_rfc3339(SystemClock().now())}};
    const std::string unfinished = path + ".unfinished";
    std::ofstream file(unfinished, std::ios::trunc);
    file << state->dump(1) << "\n";
    file.close();
    if (!file) return false;
    fs::rename(unfinished, path);
    return true;
  } catch (const fs::filesystem_error&) {
    return false;
  }
}

// Progress on standard error, the result on standard output. The exit status: 0 where everything holds, 1 where
// something does not, 2 where the feed cannot be read.
int verify(const VerifyOptions& options, const std::string& token) {
  const std::string path = options.state.empty() ? default_state() : options.state;
  const Result<json> state = read_state(path);
  if (!state) return say(state.fault(), kUnreadable);
  std::string feed_url = options.feed_url;
  while (feed_url.ends_with('/')) feed_url.pop_back();
  std::optional<archive::Verified> earlier;
  if (!options.forget) earlier = remembered(*state, feed_url);

  Asking asking({token, options.feed_url});
  bool is_readable = true;
  const auto fetch = [&](const std::string& url) -> Result<std::string> {
    http::ClientRequest request;
    request.url = url;
    request.deadline = std::chrono::minutes(2);
    request.max_body = kLongestDocument;
    const http::ClientReply reply = asking.ask_until_answered(request);
    if (reply.status == 200) return reply.body;
    is_readable = false;
    return Fault{url + " cannot be read: " + reason_of(reply)};
  };
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  const auto progress = [is_terminal](std::int64_t position, std::int64_t head) {
    if (is_terminal)
      std::fprintf(stderr, "\rposition %lld of %lld", static_cast<long long>(position), static_cast<long long>(head));
  };
  const Result<archive::VerifyReport> report = archive::verify_feed(feed_url, earlier, fetch, progress);
  if (is_terminal) std::fputs("\r", stderr);
  if (!report) {
    std::fprintf(stderr, "courant: %s: %s\n", is_readable ? "this feed does not verify" : "not verified",
                 without_controls(report.fault().detail).c_str());
    return is_readable ? 1 : kUnreadable;
  }
  const archive::Verified& verified = report->verified;
  std::printf("%s verifies: positions %lld to %lld, %zu of them redacted\nchain after %lld: %s\n", feed_url.c_str(),
              static_cast<long long>(report->first), static_cast<long long>(verified.position), report->redacted,
              static_cast<long long>(verified.position), verified.chain.c_str());
  if (report->begins_late) std::printf("older history is not kept any more: what it was is taken on trust\n");
  if (report->went_through) {
    std::printf("history is what it was when position %lld was verified\n", static_cast<long long>(earlier->position));
  } else if (earlier) {
    std::printf("position %lld, verified earlier, is not kept any more\n", static_cast<long long>(earlier->position));
  }
  if (!remember(path, feed_url, verified)) {
    return say(Fault{path + " cannot be written: the next run will not know of this one"}, kUnreadable);
  }
  return 0;
}

}  // namespace

void add_verify_command(CommandLine& line) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App& verifying = line.add("verify", "check a feed's whole history from outside (docs/AUDIT.md)", [options] {
    return with_token(options->token_file, [&options](const std::string& token) { return verify(*options, token); });
  });
  verifying.add_option("feed", options->feed_url, "the feed's URL: http://127.0.0.1:8080/demo/events")->required();
  add_token_file(verifying, options->token_file);
  verifying.add_option("--state", options->state,
                       "the file that remembers what was verified; default: ~/.local/state/courant/verified.json");
  verifying.add_flag("--forget", options->forget, "do not hold against the feed what was verified before");
}

}  // namespace courant::server
