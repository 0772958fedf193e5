#include "hub/transport.h"

namespace courant::hub {

void WebhookTransport::send(http::ClientRequest request, std::function<void(http::ClientReply)> done) {
  if (client_.send(std::move(request), done)) return;
  http::ClientReply refused;
  refused.outcome = is_stopped_ ? http::ClientReply::Outcome::kStopped : http::ClientReply::Outcome::kHeldBack;
  refused.detail = "the client takes no more requests";
  done(std::move(refused));
}

void WebhookTransport::stop() {
  is_stopped_ = true;  // before the client refuses for that
  client_.stop();
}

}  // namespace courant::hub
