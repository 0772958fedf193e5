// One request of the Client as libcurl carries it: its settings, its callbacks, its judgement of what came out.
// Threads: the client's thread alone.
#pragma once

#include <memory>
#include <string>

#include <curl/curl.h>

#include "http/errand.h"
#include "http/multi.h"

namespace courant::http {

class Transfer {
 public:
  explicit Transfer(std::unique_ptr<Errand> errand) : errand_(std::move(errand)), request_(errand_->request) {}

  Errand& errand() const { return *errand_; }

  // Makes a handle without options ready for a multi handle. False: the request cannot be sent, reply() says why.
  bool prepare(const ClientOptions& options, EasyHandle handle);
  CURL* handle() const { return handle_.get(); }
  EasyHandle give_handle() { return std::move(handle_); }  // before the transfer ends, which the handle refers to

  // The connection is over with this result.
  ClientReply reply(CURLcode code);
  ClientReply refused() const { return errand_->ended(refused_as_, refused_because_); }
  ClientReply stopped() const { return errand_->ended(ClientReply::Outcome::kStopped, "the client was stopped"); }

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
  ClientReply::Outcome outcome_of(CURLcode code) const;
  std::string failure(ClientReply::Outcome outcome, CURLcode code) const;

  const std::unique_ptr<Errand> errand_;
  const ClientRequest& request_;               // the errand's
  std::shared_ptr<const AddressGuard> judge_;  // of addresses; null: a proxy judges them

  std::unique_ptr<curl_slist, Closing> headers_;
  EasyHandle handle_;  // after headers_, which it uses until it is gone
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
