#include "server/commands/asking.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "kernel/durable_files.h"
#include "kernel/text.h"
#include "kernel/uri.h"
#include "server/commands/command_line.h"

namespace courant::server {
namespace {

using http::ClientReply;

constexpr std::size_t kLongestAnswer = 64 << 20;
constexpr int kAttempts = 6;  // with pauses of 0.2, 0.4, ... seconds between

// The user names the server himself: every address is good.
std::shared_ptr<const http::AddressGuard> any_address() {
  std::vector<http::Network> all = {*http::Network::parse("0.0.0.0/0"), *http::Network::parse("::/0")};
  return std::make_shared<const http::AddressGuard>(std::move(all));
}

// From a file, else from COURANT_TOKEN in the environment. Empty: there is none.
Result<std::string> find_token(const std::string& file) {
  if (file.empty()) {
    const char* const token = std::getenv("COURANT_TOKEN");
    return std::string(token == nullptr ? "" : token);
  }
  try {
    std::string token(trim(read_file(file)));
    if (token.empty() || token.find_first_of(" \r\n\t") != std::string::npos) return Fault{file + " holds no token"};
    return token;
  } catch (const std::filesystem::filesystem_error& error) {
    return Fault{file + " cannot be read: " + error.code().message()};
  }
}

}  // namespace

http::ClientOptions Asking::options() {
  http::ClientOptions options;
  options.guard = any_address();
  return options;
}

// Whether a URL is of the server that the token is for.
bool Asking::knows(const std::string& url) const {
  if (asker_.server.empty()) return true;
  const std::optional<Uri> one = parse_uri(url);
  const std::optional<Uri> server = parse_uri(asker_.server);
  return one && server && one->scheme == server->scheme && one->host == server->host &&
         one->effective_port() == server->effective_port();
}

ClientReply Asking::ask(const http::ClientRequest& asked) {
  http::ClientRequest request = asked;
  if (!asker_.token.empty() && knows(request.url)) {
    request.headers.emplace_back("Authorization", "Bearer " + asker_.token);
  }
  std::promise<ClientReply> answered;
  client_.send(request, [&](ClientReply reply) { answered.set_value(std::move(reply)); });
  return answered.get_future().get();
}

ClientReply Asking::ask_until_answered(const http::ClientRequest& request) {
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

void add_token_file(CLI::App& command, std::string& file) {
  command.add_option("--token-file", file,
                     "a file that holds the token to show; without: what COURANT_TOKEN in the environment says");
}

int with_token(const std::string& file, const std::function<int(const std::string&)>& run) {
  const Result<std::string> token = find_token(file);
  return token ? run(*token) : say(token.fault(), kWrongCall);
}

http::ClientRequest posting_of(const std::string& feed_url, const std::string& idempotency_key, std::string document) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = feed_url;
  request.deadline = std::chrono::seconds(30);
  request.max_body = kLongestAnswer;
  request.headers = {{"Content-Type", "application/atom+xml"}, {"Idempotency-Key", idempotency_key}};
  request.body = http::make_bytes(std::move(document));
  return request;
}

std::string reason_of(const ClientReply& reply) {
  if (reply.outcome != ClientReply::Outcome::kAnswered) {
    return std::string(http::outcome_name(reply.outcome)) +
           (reply.detail.empty() ? "" : ": " + without_controls(reply.detail));
  }
  const nlohmann::json problem = nlohmann::json::parse(reply.body, nullptr, false);
  const std::string status = std::to_string(reply.status);
  if (!problem.is_object() || !problem.contains("detail") || !problem["detail"].is_string()) return status;
  return status + ": " + without_controls(problem["detail"].get<std::string>());
}

}  // namespace courant::server
