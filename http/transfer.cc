#include "http/transfer.h"

#include <algorithm>

#include <netinet/in.h>
#include <sys/socket.h>

#include "http/field_characters.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

using Outcome = ClientReply::Outcome;

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  curl_easy_setopt(handle, option, value);
}

int port_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

}  // namespace

bool Transfer::refuse(Outcome outcome, std::string detail) {
  refused_as_ = outcome;
  refused_because_ = std::move(detail);
  return false;
}

bool Transfer::prepare(const ClientOptions& options, EasyHandle handle) {
  errand_->begun = std::chrono::steady_clock::now();
  if (!errand_->url) return refuse(Outcome::kForbidden, "the URL is not absolute");
  if (auto why = options.guard->refusal_of_literal(*errand_->url)) return refuse(Outcome::kForbidden, *why);
  if (options.egress_proxy.empty()) judge_ = options.guard;
  handle_ = std::move(handle);
  if (!handle_) return refuse(Outcome::kBroken, "no memory for a transfer");
  if (!compose_headers()) return false;
  configure(options);
  return true;
}

bool Transfer::compose_headers() {
  const auto append = [this](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return false;
    (void)headers_.release();
    headers_.reset(longer);
    return true;
  };
  bool is_typed = false;
  bool is_whole = append("Expect:");  // a round trip that small bodies do not need
  for (const auto& [name, value] : request_.headers) {
    if (!is_sound_field(name, value)) {
      return refuse(Outcome::kBroken, "a header field of the request is malformed");
    }
    is_typed = is_typed || equal_ignoring_case(name, "Content-Type");
    is_whole = is_whole && append(std::string(name) + (value.empty() ? ";" : ": " + value));
  }
  if (!is_typed) is_whole = is_whole && append("Content-Type:");  // else a POST is called a form
  return is_whole || refuse(Outcome::kBroken, "no memory for the header fields");
}

void Transfer::configure(const ClientOptions& options) {
  CURL* const handle = handle_.get();
  set(handle, CURLOPT_PRIVATE, static_cast<void*>(this));
  set(handle, CURLOPT_URL, request_.url.c_str());
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // A host that offers HTTP/2 is sent many requests on one connection: they wait for the handshake, which says so.
  // Without TLS they would wait for the first answer.
  set(handle, CURLOPT_PIPEWAIT, errand_->url->scheme == "https" ? 1L : 0L);
  set(handle, CURLOPT_HTTP09_ALLOWED, 0L);
  set(handle, CURLOPT_PATH_AS_IS, 1L);
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_HTTPHEADER, headers_.get());
  set(handle, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  set(handle, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (request_.method == "POST") {
    const std::size_t size = request_.body ? request_.body->size() : 0;
    set(handle, CURLOPT_POST, 1L);
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
    set(handle, CURLOPT_POSTFIELDS, request_.body ? request_.body->data() : "");  // not copied
  }

  // Nothing of the environment: an empty string, other than none, keeps libcurl from reading the variables.
  set(handle, CURLOPT_PROXY, options.egress_proxy.c_str());
  set(handle, CURLOPT_NOPROXY, "");
  set(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));

  set(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  set(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // libcurl keeps parsed certificates between connections only where they come from the one file.
  set(handle, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  if (!options.ca_file.empty()) set(handle, CURLOPT_CAINFO, options.ca_file.c_str());

  set(handle, CURLOPT_NOSIGNAL, 1L);
  // A lookup that outlives the deadline is left to its thread; else the end of the transfer would wait for it, and all
  // others with it.
  set(handle, CURLOPT_QUICK_EXIT, 1L);
  set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(request_.deadline.count(), 1)));
  set(handle, CURLOPT_MAXLIFETIME_CONN, static_cast<long>(std::chrono::seconds(kMaxConnectionAge).count()));
  set(handle, CURLOPT_MAXAGE_CONN, static_cast<long>(kMaxConnectionIdle.count()));
  set(handle, CURLOPT_ERRORBUFFER, static_cast<char*>(error_));

  if (request_.admits) {
    set(handle, CURLOPT_FRESH_CONNECT, 1L);
    set(handle, CURLOPT_FORBID_REUSE, 1L);
  }
  set(handle, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open_socket);
  set(handle, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(handle, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(handle, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(handle, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(handle, CURLOPT_WRITEDATA, static_cast<void*>(this));
}

curl_socket_t Transfer::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  try {
    auto& transfer = *static_cast<Transfer*>(self);
    if (!transfer.may_connect(address->addr)) return CURL_SOCKET_BAD;
    const int opened = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (opened < 0) return CURL_SOCKET_BAD;
    ++transfer.sockets_opened_;
    return opened;
  } catch (...) {
    return CURL_SOCKET_BAD;
  }
}

// The socket is connected to exactly the address that is judged here. Of a name with several addresses the next is
// tried where one may not be.
bool Transfer::may_connect(const sockaddr& address) {
  if (!judge_) return true;
  const std::optional<Address> target = Address::of(address);
  std::optional<std::string> why = "the address is of an unknown family";
  if (target) why = judge_->refusal(*target, port_of(address));
  if (why) {
    refused_because_ = std::move(*why);
    return false;
  }
  if (!request_.admits || request_.admits(*target)) return true;
  is_held_back_ = true;
  return false;
}

std::size_t Transfer::on_header(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
  try {
    return static_cast<Transfer*>(self)->take_header({bytes, size * count}) ? size * count : 0;
  } catch (...) {
    return 0;
  }
}

std::size_t Transfer::on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
  try {
    return static_cast<Transfer*>(self)->take_body({bytes, size * count}) ? size * count : 0;
  } catch (...) {
    return 0;
  }
}

bool Transfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxAnswerHead) {
    broken_because_ = "the answer's header fields are longer than " + std::to_string(kMaxAnswerHead) + " bytes";
    return false;
  }
  if (line.starts_with("HTTP/")) {
    reply_.headers.clear();  // an interim answer came before this one
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  const std::string_view name = trim(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  // libcurl would take other codings off.
  if (equal_ignoring_case(name, "Transfer-Encoding") && !equal_ignoring_case(value, "chunked")) {
    broken_because_ = "the answer has a transfer coding that was not asked for";
    return false;
  }
  reply_.headers.emplace_back(name, value);
  return true;
}

bool Transfer::take_body(std::string_view bytes) {
  const std::size_t room = request_.max_body - std::min(request_.max_body, reply_.body.size());
  reply_.body.append(bytes.substr(0, room));
  reply_.is_cut = bytes.size() > room;
  return !reply_.is_cut;
}

Outcome Transfer::outcome_of(CURLcode code) const {
  if (!broken_because_.empty()) return Outcome::kBroken;
  if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && reply_.is_cut)) return Outcome::kAnswered;
  if (is_held_back_ && sockets_opened_ == 0) return Outcome::kHeldBack;
  if (!refused_because_.empty() && sockets_opened_ == 0) return Outcome::kForbidden;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Outcome::kResolve;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return Outcome::kConnect;
    case CURLE_OPERATION_TIMEDOUT:
      return Outcome::kTimeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Outcome::kTls;
    default:
      return Outcome::kBroken;
  }
}

ClientReply Transfer::reply(CURLcode code) {
  long status = 0;
  curl_off_t sending = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle_.get(), CURLINFO_PRETRANSFER_TIME_T, &sending);
  reply_.was_connected = sending > 0;
  const Outcome outcome = outcome_of(code);
  if (outcome == Outcome::kAnswered) {
    reply_.status = static_cast<int>(status);
    const char* redirect_url = nullptr;
    curl_easy_getinfo(handle_.get(), CURLINFO_REDIRECT_URL, &redirect_url);
    if (redirect_url != nullptr) reply_.redirect_url = redirect_url;
    return errand_->ended(outcome, {}, std::move(reply_));
  }
  return errand_->ended(outcome, failure(outcome, code), std::move(reply_));
}

std::string Transfer::failure(Outcome outcome, CURLcode code) const {
  if (outcome == Outcome::kForbidden) return refused_because_;
  if (outcome == Outcome::kHeldBack) return "too many connections to that network";
  if (!broken_because_.empty()) return broken_because_;
  return error_[0] != '\0' ? static_cast<const char*>(error_) : curl_easy_strerror(code);
}

}  // namespace courant::http
