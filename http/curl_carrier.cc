#include "http/curl_carrier.h"

#include <utility>

namespace courant::http {

CurlCarrier::CurlCarrier(boost::asio::io_context& io, const ClientOptions& options, Ended ended)
    : options_(options), ended_(std::move(ended)), ready_(io, multi_.descriptor()), timer_(io) {
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options.in_flight));
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options.per_host));
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options.in_flight));
  watch();
}

CurlCarrier::~CurlCarrier() {
  ready_.release();
}

void CurlCarrier::begin(std::unique_ptr<Errand> errand) {
  auto transfer = std::make_unique<Transfer>(std::move(errand));
  if (!transfer->prepare(options_, multi_.take_handle())) {
    ended_(transfer->errand(), transfer->refused());
    return;
  }
  CURL* const handle = transfer->handle();
  if (curl_multi_add_handle(multi_.get(), handle) != CURLM_OK) {
    ended_(transfer->errand(), transfer->reply(CURLE_OUT_OF_MEMORY));
    return;
  }
  under_way_.emplace(handle, std::move(transfer));
  plan();
}

void CurlCarrier::watch() {
  ready_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    work();
    watch();
  });
}

void CurlCarrier::work() {
  multi_.work();
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    auto node = under_way_.extract(message->easy_handle);
    const std::unique_ptr<Transfer> transfer = std::move(node.mapped());
    ClientReply reply = transfer->reply(code);
    curl_multi_remove_handle(multi_.get(), transfer->handle());
    multi_.give_back(transfer->give_handle());
    ended_(transfer->errand(), std::move(reply));
  }
  plan();
}

// The timer never fires later than libcurl wants it to; where it fires earlier, it is set again.
void CurlCarrier::plan() {
  const std::optional<Ticks> due = multi_.due();
  if (!due || (planned_ && *planned_ <= *due)) return;
  planned_ = due;
  timer_.expires_at(*due);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    planned_.reset();
    work();
  });
}

void CurlCarrier::end_all() {
  timer_.cancel();
  ready_.cancel();
  const auto all = std::move(under_way_);
  under_way_.clear();
  for (const auto& [handle, transfer] : all) {
    curl_multi_remove_handle(multi_.get(), handle);
    ended_(transfer->errand(), transfer->stopped());
  }
}

}  // namespace courant::http
