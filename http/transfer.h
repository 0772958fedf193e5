// One request of the Client as libcurl carries it: its settings, its callbacks, its judgement of what came out.
// Threads: the client's thread alone.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <curl/curl.h>

#include "http/client.h"
#include "http/multi.h"

namespace courant::http {

class Transfer {
 public:
  Transfer(ClientRequest request, Client::Done done);

  // The host that the request counts for, in its one spelling; empty where the URL has none.
  const std::string& host() const { return host_; }

  // Makes a handle without options ready for a multi handle. False: the request cannot be sent, reply() says why.
  bool prepare(const ClientOptions& options, EasyHandle handle);
  CURL* handle() const { return handle_.get(); }
  EasyHandle give_handle() { return std::move(handle_); }  // before the transfer ends, which the handle refers to

  // The connection is over with this result.
  ClientReply reply(CURLcode code);
  ClientReply refused() { return ended(refused_as_, std::move(refused_because_)); }
  ClientReply stopped() { return ended(ClientReply::Outcome::kStopped, "the client was stopped"); }

  // Tells the one who asked.
  void finish(ClientReply reply);

 private:
  struct Closing {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;

  bool may_connect(const sockaddr& address);
  bool refuse(ClientReply::Outcome outcome, std::string detail);
  bool compose_headers();
  void configure(const ClientOptions& options);
  bool take_header(std::string_view line);
  bool take_body(std::string_view bytes);
  ClientReply ended(ClientReply::Outcome outcome, std::string detail);
  ClientReply::Outcome outcome_of(CURLcode code) const;

  ClientRequest request_;
  Client::Done done_;
  std::optional<Uri> url_;
  std::string host_;
  std::shared_ptr<const AddressGuard> judge_;  // of addresses; null: a proxy judges them

  std::unique_ptr<curl_slist, Closing> headers_;
  EasyHandle handle_;  // after headers_, which it uses until it is gone
  std::chrono::steady_clock::time_point begin_{};
  char error_[CURL_ERROR_SIZE] = {};

  int sockets_opened_ = 0;
  bool is_held_back_ = false;  // the request's own `admits` said no to an address
  std::string refused_because_;
  ClientReply::Outcome refused_as_ = ClientReply::Outcome::kForbidden;
  std::string broken_because_;  // we broke the transfer off
  std::size_t header_bytes_ = 0;
  ClientReply reply_;
};

}  // namespace courant::http
