#include "http/errand.h"

#include <utility>

#include "http/url_host.h"

namespace courant::http {
namespace {

std::string without_controls(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = '?';
  }
  return text;
}

}  // namespace

Errand::Errand(ClientRequest the_request, Client::Done the_done)
    : request(std::move(the_request)), done(std::move(the_done)), url(parse_uri(request.url)) {
  if (!url) return;
  if (Result<UrlHost> read = read_host(url->host)) host = std::move(read->name);
}

ClientReply Errand::ended(ClientReply::Outcome outcome, std::string detail, ClientReply reply) const {
  reply.outcome = outcome;
  reply.detail = without_controls(std::move(detail));
  if (outcome != ClientReply::Outcome::kAnswered) {
    reply.status = 0;
    reply.headers.clear();
    reply.body.clear();
    reply.is_cut = false;
  }
  if (begun != Ticks()) {
    reply.latency = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  }
  return reply;
}

}  // namespace courant::http
