#include "feeds/entry_response.h"

namespace courant::feeds {

http::Response entry_response(int status, const StoredEntry& entry, const std::string& feed_url, bool has_edits,
                              const http::Request& request) {
  http::Response response;
  response.status = status;
  response.with("Content-Type", kEntryType).with("ETag", "\"" + std::to_string(entry.position) + "\"");
  response.with("Cache-Control", "no-cache").with("Feed-Position", std::to_string(entry.position));
  if (request.method == http::Method::kPost) {
    response.with("Location", entry_url(feed_url, entry.id)).with("Content-Location", entry_url(feed_url, entry.id));
    response.with("Feed-Chain", std::to_string(entry.position) + " " + entry.chain);
  }
  response.body = http::make_bytes(render_entry(entry, feed_url, has_edits));
  return response;
}

http::Response entry_not_modified(const std::string& etag) {
  http::Response response;
  response.status = 304;
  response.with("ETag", etag).with("Cache-Control", "no-cache").with("Vary", kEntryVary);
  return response;
}

}  // namespace courant::feeds
