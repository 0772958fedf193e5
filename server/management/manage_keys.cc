// What needs the installation's keys: URLs that are read without a token, and another key.
#include "feeds/own_feeds.h"
#include "server/admission/signing.h"
#include "server/admission/token_store.h"
#include "server/key_rotation.h"
#include "server/management/manage_route.h"
#include "server/secrets.h"

namespace courant::server {
namespace {

// A member that may be left out. Throws Problem 400.
bool flag_in(const Json& body, const char* name, bool otherwise) {
  const auto found = body.find(name);
  if (found == body.end()) return otherwise;
  if (!found->is_boolean()) throw Problem(400, std::string(name) + " must be true or false");
  return found->get<bool>();
}

}  // namespace

// Whoever manages a feed may read it, and so give others a way to; but for what takes a token of a manager to be read.
Json sign_url(ManageCall& call) {
  if (call.argument(0) == feeds::kOwnWorkspace) {
    throw Problem(403, "What the server tells of itself is read with a token alone");
  }
  const Json& body = call.asked.body;
  const std::string feed = call.core.engine().feed_url(require_stored_feed(call)->facts());
  std::string url = body.contains("url") ? require_text(body, "url") : feed;
  if (url.starts_with('/')) url.insert(0, call.core.config().server.public_url);
  std::optional<std::string> filter;
  if (body.contains("filter")) filter = require_text(body, "filter");
  const Result<Signable> signable = read_signable(url, feed, filter, require_duration(body, "expires_in"));
  if (!signable) throw Problem(400, signable.fault().detail);
  const Result<SignedUrl> made = sign_url(*signable, call.core.config(), call.core.data(), call.now);
  if (!made) throw Problem(409, made.fault().detail);
  const std::string expires = format_rfc3339(made->expires);
  call.note("url-signed", call.argument(0) + "/" + call.argument(1),
            {{"url", signable->target}, {"filter", signable->filter}, {"expires", expires}});
  Json answer = {{"url", made->url}, {"expires", expires}};
  if (const std::string gap = gap_of(signable->filter); !gap.empty()) answer["note"] = gap;
  return answer;
}

// Notes what it does by itself: it is in many transactions, and in none with the file.
Json rotate_key(ManageCall& call) {
  const Json& body = call.asked.body;
  const bool drops_old = flag_in(body, "drop_old", false);
  const bool makes_key = flag_in(body, "new_key", !drops_old);
  if (drops_old && makes_key) {
    throw Problem(400, "drop_old is said when every server has the new key: without new_key");
  }
  const std::unique_ptr<sql::Session> session = call.core.database().connect();
  const std::string path = secrets_path(call.core.config(), call.core.data());
  const Result<KeyRotated> done = rotate_key(*session, path, {makes_key, drops_old}, call.asked.actor);
  if (!done) throw Problem(409, done.fault().detail);
  std::int64_t lost = 0;
  for (const auto& [key, count] : done->lost) lost += count;
  const std::vector<std::string> older = drops_old ? std::vector<std::string>() : done->older;
  return {{"key", done->newest}, {"sealed_again", done->sealed_again}, {"lost", lost}, {"older", older}};
}

}  // namespace courant::server
